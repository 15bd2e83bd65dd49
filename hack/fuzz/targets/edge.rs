//! One program for all edges: `FUZZ_EDGE` names the one that it feeds.
#![no_main]

use std::sync::LazyLock;

static EDGE: LazyLock<fuzz::Edge> = LazyLock::new(|| {
    let name = std::env::var("FUZZ_EDGE").unwrap_or_default();
    fuzz::Edge::named(&name).expect("FUZZ_EDGE names an edge of hack/fuzz/src/lib.rs")
});

libfuzzer_sys::fuzz_target!(|input: &[u8]| (EDGE.check)(input));
