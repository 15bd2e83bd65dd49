//! The verbs, one file each.

mod attend;
mod container;
mod create;
mod delete;
mod kill;
mod observe;
mod run;
mod start;

pub use create::{CreateError, CreateRequest, Sockets, create};
pub use delete::{DeleteError, Force, delete};
pub use kill::{KillError, Whom, kill};
pub use observe::{StateError, list, state};
pub use run::{ExitCode, Keep, RunError, RunMode, Subreaper, run};
pub use start::{StartError, start};
