//! hull-init
