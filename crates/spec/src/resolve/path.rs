//! Paths as text: absolute or not, and where they lead if no link stands in the way.
//!
//! The cleaned form only serves to compare with forbidden places; what is resolved later, inside
//! the root and by fd, is the path as it was written.

use std::path::Path;

use super::error::{At, ResolveError};

/// PATH_MAX without its NUL: what the kernel takes of a path at once.
const LONGEST: usize = 4095;

/// `path`, if it is absolute, and not longer than the kernel takes.
pub(super) fn absolute(path: &str, at: &At<'_>) -> Result<String, ResolveError> {
    if path.is_empty() {
        return Err(at.breaks("must not be empty"));
    }
    if !path.starts_with('/') {
        return Err(at.wrong(path, "must be absolute"));
    }
    short(path, at)?;
    Ok(path.to_owned())
}

/// `path` seen from `directory`, as text; a config is UTF-8, so only the directory's own name
/// could be lossy, and then it is not found.
pub(super) fn below(directory: &Path, path: &Path, at: &At<'_>) -> Result<String, ResolveError> {
    let path = directory.join(path).to_string_lossy().into_owned();
    short(&path, at)?;
    Ok(path)
}

/// Refuses what the kernel would refuse when it is too late.
pub(super) fn short(path: &str, at: &At<'_>) -> Result<(), ResolveError> {
    match path.len() {
        0..=LONGEST => Ok(()),
        _ => Err(at.breaks("must have at most 4095 bytes")),
    }
}

/// Without `.`, `..` and doubled slashes; absolute.
pub(super) fn clean(path: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()),
            name => parts.push(name),
        }
    }
    format!("/{}", parts.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cleaned_path_has_no_detours() {
        for (path, expected) in [
            ("/", "/"),
            ("", "/"),
            ("//a//b/", "/a/b"),
            ("/a/./b/../c", "/a/c"),
            ("/../..", "/"),
            ("proc/..", "/"),
            ("proc", "/proc"),
        ] {
            assert_eq!(clean(path), expected, "{path:?}");
        }
    }

    #[test]
    fn a_relative_path_is_refused_where_an_absolute_one_is_demanded() {
        let at = At::new("/x");
        assert_eq!(absolute("/a", &at).unwrap(), "/a");
        assert_eq!(
            absolute("a", &at).unwrap_err().to_string(),
            "config.json /x: \"a\" must be absolute"
        );
        assert!(absolute("", &at).is_err());
    }

    #[test]
    fn a_path_that_the_kernel_would_not_take_is_refused() {
        let at = At::new("/x");
        let path = |length: usize| format!("/{}", "a".repeat(length - 1));
        let text = "config.json /x: must have at most 4095 bytes";
        assert!(absolute(&path(4095), &at).is_ok());
        assert_eq!(absolute(&path(4096), &at).unwrap_err().to_string(), text);
        let bundle = Path::new("/bundle");
        assert!(below(bundle, Path::new(&path(4095)), &at).is_ok());
        let relative = "a".repeat(4090);
        let refusal = below(bundle, Path::new(&relative), &at).unwrap_err();
        assert_eq!(refusal.to_string(), text);
    }
}
