//! hull-spec
