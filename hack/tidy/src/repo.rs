//! The files that the rules look at, held in memory: from git, or made up by a test.

use crate::lexer::{self, Views};
use std::path::Path;
use std::process::Command;

/// What one rule has to say about one line.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Finding {
    pub(crate) path: String,
    pub(crate) line: usize,
    pub(crate) advice: String,
}

/// One text file; `views` separate code from comments when it is Rust.
#[derive(Debug)]
pub(crate) struct File {
    pub(crate) path: String,
    pub(crate) text: String,
    views: Option<Views>,
}

impl File {
    fn new(path: &str, text: String) -> Self {
        let views = path.ends_with(".rs").then(|| lexer::separate(&text));
        Self {
            path: path.to_owned(),
            text,
            views,
        }
    }

    /// The file with comments and the inside of strings blanked, lines kept; empty when not Rust.
    pub(crate) fn code(&self) -> &str {
        self.views.as_ref().map_or("", |views| &views.code)
    }

    /// `code` without what is compiled for tests only.
    pub(crate) fn product_code(&self) -> &str {
        self.views.as_ref().map_or("", |views| &views.product)
    }

    /// The file with everything but its comments blanked; empty when not Rust.
    pub(crate) fn comments(&self) -> &str {
        self.views.as_ref().map_or("", |views| &views.comments)
    }

    pub(crate) fn finding(&self, line: usize, advice: impl Into<String>) -> Finding {
        Finding {
            path: self.path.clone(),
            line,
            advice: advice.into(),
        }
    }

    pub(crate) fn stem(&self) -> &str {
        Path::new(&self.path)
            .file_stem()
            .and_then(|stem| stem.to_str())
            .unwrap_or("")
    }
}

/// All files of the checkout that git tracks or would track.
#[derive(Debug)]
pub(crate) struct Repo {
    files: Vec<File>,
}

impl Repo {
    /// The checkout that the current directory is in.
    pub(crate) fn here() -> Result<Self, String> {
        let top = git(&["rev-parse", "--show-toplevel"])?;
        let top = Path::new(top.trim_end());
        let list = git(&[
            "-C",
            &top.to_string_lossy(),
            "ls-files",
            "-zco",
            "--exclude-standard",
        ])?;
        let mut files = Vec::new();
        for path in list.split('\0').filter(|path| !path.is_empty()) {
            // A file that is listed but gone, or that is no text, holds nothing to check.
            if let Ok(text) = std::fs::read_to_string(top.join(path)) {
                files.push(File::new(path, text));
            }
        }
        Ok(Self { files })
    }

    pub(crate) fn files(&self) -> impl Iterator<Item = &File> {
        self.files.iter()
    }

    /// Files whose path begins with `prefix` and ends with `suffix`.
    pub(crate) fn matching<'a>(
        &'a self,
        prefix: &'a str,
        suffix: &'a str,
    ) -> impl Iterator<Item = &'a File> {
        self.files
            .iter()
            .filter(move |file| file.path.starts_with(prefix) && file.path.ends_with(suffix))
    }

    pub(crate) fn file(&self, path: &str) -> Option<&File> {
        self.files.iter().find(|file| file.path == path)
    }

    /// Whether `path` is a file, or a directory with files, of the repository.
    pub(crate) fn has(&self, path: &str) -> bool {
        let path = path.trim_end_matches('/');
        let inside = format!("{path}/");
        path.is_empty()
            || self
                .files
                .iter()
                .any(|file| file.path == path || file.path.starts_with(&inside))
    }

    #[cfg(test)]
    pub(crate) fn of(files: &[(&str, &str)]) -> Self {
        let file = |(path, text): &(&str, &str)| File::new(path, (*text).to_owned());
        Self {
            files: files.iter().map(file).collect(),
        }
    }
}

fn git(args: &[&str]) -> Result<String, String> {
    let output = Command::new("git")
        .args(args)
        .output()
        .map_err(|error| format!("git: {error}"))?;
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).trim().to_owned());
    }
    String::from_utf8(output.stdout).map_err(|error| error.to_string())
}
