//! Every edge takes its seeds, what fuzzing once found, and some thousand inputs that nobody
//! thought about, on the stable toolchain and within seconds.

use fuzz::EDGES;
use std::fs;
use std::path::{Path, PathBuf};

fn files(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(folder) else {
        return Vec::new();
    };
    let mut paths: Vec<PathBuf> = entries
        .map(|entry| entry.expect("an entry").path())
        .collect();
    paths.sort();
    paths.retain(|path| path.is_file());
    paths
}

fn here(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

#[test]
fn the_configs_of_engines_and_the_examples_of_the_specification_are_taken() {
    let check = fuzz::Edge::named("config").expect("an edge").check;
    let mut seeds = files(&here("../../crates/spec/tests/data"));
    assert!(!seeds.is_empty());
    // Beside this checkout, where they are there.
    for folder in [
        "configs",
        "runtime-spec/test/config/good",
        "runtime-spec/test/config/bad",
    ] {
        seeds.extend(files(&here("../../../shared").join(folder)));
    }
    for seed in seeds {
        check(&fs::read(seed).expect("a seed"));
    }
}

#[test]
fn what_fuzzing_found_is_found_no_more() {
    for edge in EDGES {
        for path in files(&here("found").join(edge.name)) {
            (edge.check)(&fs::read(path).expect("a finding"));
        }
    }
}

#[test]
fn every_finding_belongs_to_an_edge() {
    for entry in fs::read_dir(here("found")).into_iter().flatten() {
        let path = entry.expect("an entry").path();
        let name = path
            .file_name()
            .and_then(|name| name.to_str())
            .unwrap_or_default();
        assert!(
            !path.is_dir() || fuzz::Edge::named(name).is_some(),
            "there is no edge {name}"
        );
    }
}

#[test]
fn inputs_without_a_thought_are_taken_by_every_edge() {
    for edge in EDGES {
        let mut state = 0x9e37_79b9_7f4a_7c15_u64;
        for length in (0..400).chain([1000, 5000]) {
            let mut input = Vec::with_capacity(length);
            while input.len() < length {
                // xorshift64
                state ^= state << 13;
                state ^= state >> 7;
                state ^= state << 17;
                input.extend(state.to_le_bytes());
            }
            (edge.check)(&input);
        }
    }
}
