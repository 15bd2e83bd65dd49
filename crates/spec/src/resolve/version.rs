//! `ociVersion`: a SemVer 2.0.0 of major version 1, with whatever minor, patch and suffix.

use crate::config::Config;

use super::error::{At, ResolveError};

/// The versions that `features` shows, both accepted.
pub(crate) const OLDEST: &str = "1.0.0";
pub(crate) const NEWEST: &str = "1.3.0";

pub(super) fn check(config: &Config) -> Result<(), ResolveError> {
    let version = config.oci_version.as_str();
    match major(version) {
        Some("1") => Ok(()),
        Some(_) => Err(at().wrong(version, "must be of major version 1")),
        None => Err(at().wrong(version, "is no version of the form 1.2.3")),
    }
}

fn at() -> At<'static> {
    At::new("/ociVersion")
}

/// The major number, if all of `version` is a SemVer.
fn major(version: &str) -> Option<&str> {
    let (version, build) = split(version, '+');
    let (core, pre) = split(version, '-');
    let numbers: Vec<&str> = core.split('.').collect();
    let is_number = |text: &&str| {
        !text.is_empty()
            && text.bytes().all(|byte| byte.is_ascii_digit())
            && (*text == "0" || !text.starts_with('0'))
    };
    let is_suffix = |text: &str| text.split('.').all(is_identifier);
    let fits = numbers.len() == 3
        && numbers.iter().all(is_number)
        && [build, pre].into_iter().flatten().all(is_suffix);
    fits.then(|| numbers[0])
}

fn split(text: &str, at: char) -> (&str, Option<&str>) {
    match text.split_once(at) {
        Some((head, tail)) => (head, Some(tail)),
        None => (text, None),
    }
}

fn is_identifier(text: &str) -> bool {
    !text.is_empty()
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_version_1_is_accepted() {
        for version in [
            OLDEST,
            NEWEST,
            "1.0.2-dev",
            "1.99.0",
            "1.2.0-rc.1+build-7",
            "1.0.0+001",
        ] {
            assert_eq!(major(version), Some("1"), "{version}");
        }
    }

    #[test]
    fn other_majors_and_other_texts_are_not() {
        for version in ["0.2.0", "2.0.0", "10.0.0"] {
            assert_ne!(major(version), Some("1"), "{version}");
        }
        for version in [
            "",
            "1",
            "1.0",
            "1.0.0.0",
            "v1.0.0",
            "1.0.0-",
            "1.0.0-a..b",
            "1.a.0",
            "01.0.0",
            " 1.0.0",
        ] {
            assert_eq!(major(version), None, "{version}");
        }
    }
}
