//! Paths as text: absolute or not, and where they lead if no link stands in the way.
//!
//! The cleaned form only serves to compare with forbidden places; what is resolved later, inside
//! the root and by fd, is the path as it was written.

use std::path::Path;

use super::error::{At, ResolveError};

/// `path`, if it is absolute.
pub(super) fn absolute(path: &str, at: &At<'_>) -> Result<String, ResolveError> {
    if path.is_empty() {
        return Err(at.breaks("must not be empty"));
    }
    if !path.starts_with('/') {
        return Err(at.wrong(path, "must be absolute"));
    }
    Ok(path.to_owned())
}

/// `path` seen from `directory`, as text; a config is UTF-8, so only the directory's own name
/// could be lossy, and then it is not found.
pub(super) fn below(directory: &Path, path: &Path) -> String {
    directory.join(path).to_string_lossy().into_owned()
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
}
