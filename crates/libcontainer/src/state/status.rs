//! Status is never stored: it follows from what the kernel says now.

use serde::Serialize;

/// The spec's four, and `paused` (runtime.md#state).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    Creating,
    Created,
    Running,
    Paused,
    Stopped,
}

impl Status {
    /// The word of the spec.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Creating => "creating",
            Self::Created => "created",
            Self::Running => "running",
            Self::Paused => "paused",
            Self::Stopped => "stopped",
        }
    }
}

/// The container's first process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum InitLife {
    /// An intent is recorded, no process yet.
    NotYet,
    Alive,
    /// Dead, a zombie, or its pid is another process's by now.
    Gone,
}

/// Where the first process is: before its gate it runs the init image, behind it the payload.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Gate {
    /// On its way; it will not stop there.
    Ahead,
    Closed,
    Opened,
}

/// What the container is.
pub(crate) fn observe(init: InitLife, gate: Gate, frozen: bool) -> Status {
    match (init, gate, frozen) {
        (InitLife::NotYet, ..) => Status::Creating,
        (InitLife::Gone, ..) => Status::Stopped,
        (InitLife::Alive, _, true) => Status::Paused,
        (InitLife::Alive, Gate::Ahead, _) => Status::Creating,
        (InitLife::Alive, Gate::Closed, _) => Status::Created,
        (InitLife::Alive, Gate::Opened, _) => Status::Running,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dead_init_is_stopped_even_before_start() {
        assert_eq!(
            observe(InitLife::Gone, Gate::Closed, false),
            Status::Stopped
        );
    }

    #[test]
    fn the_status_follows_from_the_kernel() {
        for (init, gate, frozen, status) in [
            (InitLife::NotYet, Gate::Closed, false, Status::Creating),
            (InitLife::Alive, Gate::Ahead, false, Status::Creating),
            (InitLife::Alive, Gate::Closed, false, Status::Created),
            (InitLife::Alive, Gate::Opened, false, Status::Running),
            (InitLife::Alive, Gate::Opened, true, Status::Paused),
            (InitLife::Gone, Gate::Opened, true, Status::Stopped),
        ] {
            assert_eq!(observe(init, gate, frozen), status);
        }
    }
}
