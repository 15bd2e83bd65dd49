//! hull-sys
