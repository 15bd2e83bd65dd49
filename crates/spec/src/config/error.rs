//! Why a config.json could not be read or parsed: one line each, with the place in the text.

use std::io;
use std::path::PathBuf;

/// What is wrong with a config.json.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The bundle's directory must be absolute.
    #[error("bundle {}: not an absolute path", path.display())]
    Directory { path: PathBuf },
    /// open(2) refused.
    #[error("open {}: {}", path.display(), errno_text(source))]
    Open { path: PathBuf, source: io::Error },
    /// A directory, fifo, device or socket.
    #[error("open {}: not a regular file", path.display())]
    NotAFile { path: PathBuf },
    /// More than is read.
    #[error("read {}: larger than {mebibytes} MiB", path.display())]
    TooLarge { path: PathBuf, mebibytes: u64 },
    /// read(2) failed.
    #[error("read {}: {}", path.display(), errno_text(source))]
    Read { path: PathBuf, source: io::Error },
    /// The text is no JSON at all.
    #[error("config.json: {problem}")]
    Text { problem: String },
    /// JSON that is no config: wrong type, missing member, key that stands twice.
    #[error("config.json{}{pointer}: {problem}", if pointer.is_empty() { "" } else { " " })]
    Shape {
        /// JSON pointer; empty for the whole document.
        pointer: String,
        problem: String,
    },
}

/// The kernel's words in lower case, without the number that std adds.
fn errno_text(error: &io::Error) -> String {
    let text = error.to_string();
    let text = text.split(" (os error").next().unwrap_or_default();
    text.to_lowercase()
}
