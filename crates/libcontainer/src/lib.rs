//! hull-libcontainer
