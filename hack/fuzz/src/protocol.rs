//! What init may say, whatever init has become: messages of any bytes, in any order.

use hull_spec::plan::InitPlan;
use hull_spec::protocol::{FromInit, Phase, ToInit};

pub(crate) fn check(bytes: &[u8]) {
    let mut phase = Phase::Birth;
    for packet in packets(bytes) {
        if let Ok(message) = postcard::from_bytes::<ToInit>(packet) {
            let again = postcard::to_allocvec(&message).expect("sent once more");
            assert_eq!(postcard::from_bytes(&again), Ok(message));
        }
        let Ok(message) = postcard::from_bytes::<FromInit>(packet) else {
            continue;
        };
        let again = postcard::to_allocvec(&message).expect("sent once more");
        assert_eq!(postcard::from_bytes(&again).as_ref(), Ok(&message));
        match phase.accept(&message) {
            Ok(next) => phase = next,
            Err(error) => assert!(error.to_string().contains(message.name())),
        }
    }
    // A plan comes from the runtime, but a damaged one must not take init's memory.
    if let Ok(plan) = postcard::from_bytes::<InitPlan>(bytes) {
        let again = postcard::to_allocvec(&plan).expect("sent once more");
        assert_eq!(postcard::from_bytes(&again), Ok(plan));
    }
}

/// Each packet has its length before it.
fn packets(mut bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    std::iter::from_fn(move || {
        let (length, rest) = bytes.split_first()?;
        let (packet, rest) = rest.split_at(usize::from(*length).min(rest.len()));
        bytes = rest;
        Some(packet)
    })
}
