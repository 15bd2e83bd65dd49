//! hull-bpf
