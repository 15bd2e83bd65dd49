//! The specification's own JSON schemas and examples as judges: of what `features` shows, of the
//! templates, and of what the parser accepts. They are read from the checkout beside this one and
//! skipped where it is not there.

#![allow(
    clippy::unwrap_used,
    clippy::print_stderr,
    reason = "a test that cannot read its input has nothing to say"
)]

use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};

use hull_spec::plan::{CgroupLayout, CgroupManager, Verbosity};
use hull_spec::{
    Activation, Bundle, ContainerId, HostFacts, Request, RootChange, Rootless, SecurityModules,
    SessionKeyring, features, resolve, template,
};
use jsonschema::{Draft, Retrieve, Uri, Validator};
use serde_json::Value;

/// Where the schemas are, if they are there.
fn specification() -> Option<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/runtime-spec");
    if folder.is_dir() {
        return Some(folder);
    }
    eprintln!("skipped: no {}", folder.display());
    None
}

fn json(path: &Path) -> Value {
    serde_json::from_slice(&fs::read(path).unwrap()).unwrap()
}

/// Schemas name each other by file.
struct Folder(PathBuf);

impl Retrieve for Folder {
    fn retrieve(&self, uri: &Uri<String>) -> Result<Value, Box<dyn Error + Send + Sync>> {
        let name = uri
            .path()
            .as_str()
            .rsplit('/')
            .next()
            .unwrap_or_default()
            .to_owned();
        Ok(serde_json::from_slice(&fs::read(self.0.join(name))?)?)
    }
}

fn validator(folder: &Path, schema: &str) -> Validator {
    jsonschema::options()
        .with_draft(Draft::Draft4)
        .with_base_uri(format!("file:///schema/{schema}"))
        .with_retriever(Folder(folder.to_owned()))
        .build(&json(&folder.join(schema)))
        .unwrap()
}

fn assert_valid(validator: &Validator, value: &Value) {
    let errors: Vec<String> = validator
        .iter_errors(value)
        .map(|error| format!("{}: {error}", error.instance_path()))
        .collect();
    assert!(errors.is_empty(), "{errors:#?}");
}

#[test]
fn what_features_shows_follows_the_schema() {
    let Some(folder) = specification() else {
        return;
    };
    let validator = validator(&folder, "features-schema.json");
    assert_valid(
        &validator,
        &serde_json::to_value(features::features("abc")).unwrap(),
    );
    assert!(!validator.is_valid(&serde_json::json!({"ociVersionMin": "1.0.0"})));
}

/// features.md: a member that is absent leaves the caller to guess; hull tells all that the schema
/// knows.
#[test]
fn features_shows_every_member_of_the_schema() {
    let Some(folder) = specification() else {
        return;
    };
    let shown = serde_json::to_value(features::features("abc")).unwrap();
    let mut schema = json(&folder.join("features-schema.json"));
    schema["properties"]["linux"] = json(&folder.join("features-linux.json"))["linux"].take();
    let mut missing = Vec::new();
    members(&schema, &shown, "", &mut missing);
    assert!(missing.is_empty(), "{missing:?}");
}

/// The pointers of what the schema names and `shown` has not.
fn members(schema: &Value, shown: &Value, pointer: &str, missing: &mut Vec<String>) {
    for (name, schema) in schema["properties"].as_object().into_iter().flatten() {
        let pointer = format!("{pointer}/{name}");
        match shown.get(name) {
            Some(shown) => members(schema, shown, &pointer, missing),
            None => missing.push(pointer),
        }
    }
}

#[test]
fn the_templates_follow_the_schema() {
    let Some(folder) = specification() else {
        return;
    };
    let validator = validator(&folder, "config-schema.json");
    for text in [template::default_config(), template::rootless_config(5, 6)] {
        assert_valid(&validator, &serde_json::from_str(&text).unwrap());
    }
}

fn examples(kind: &str) -> Vec<PathBuf> {
    let Some(folder) = specification() else {
        return Vec::new();
    };
    let entries = fs::read_dir(folder.join("test/config").join(kind)).unwrap();
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths
}

fn answer(path: &Path) -> Result<(), String> {
    let bundle = Bundle::load(Path::new("/"), path).map_err(|error| error.to_string())?;
    let host = HostFacts {
        cgroup_layout: CgroupLayout::V2,
        cgroup_v1: Vec::new(),
        cgroup_unified: false,
        uid: 0,
        gid: 0,
        privileged: true,
        setgroups_denied: false,
        last_capability: 40,
        security_modules: SecurityModules {
            apparmor: true,
            selinux: true,
        },
    };
    let id = ContainerId::new("example").unwrap();
    let request = Request {
        id: &id,
        manager: CgroupManager::Cgroupfs,
        rootless: Rootless::Auto,
        root_change: RootChange::PivotRoot,
        keyring: SessionKeyring::New,
        preserved_fds: 0,
        activation: Activation::default(),
        verbosity: Verbosity::Quiet,
        console: false,
        detached: true,
    };
    resolve(&bundle, &host, &request)
        .map(drop)
        .map_err(|error| error.to_string())
}

/// A good example is planned, or is refused by the name of what this build does not do.
#[test]
fn good_examples_are_understood() {
    for path in examples("good") {
        let text = fs::read(&path).unwrap();
        let foreign = ["freebsd", "zos"]
            .iter()
            .any(|word| path.to_string_lossy().contains(word));
        if let Err(error) = hull_spec::Config::parse(&text) {
            assert!(foreign, "{}: {error}", path.display());
        }
        if let Err(error) = answer(&path) {
            let excused =
                foreign || error.contains("not supported yet") || cannot_be_applied(&path);
            assert!(excused, "{}: {error}", path.display());
        }
    }
}

/// One asks for everything at once, v1 alone included; the other for network devices without a
/// network namespace.
fn cannot_be_applied(path: &Path) -> bool {
    path.ends_with("spec-example.json") || path.ends_with("linux-netdevice.json")
}

#[test]
fn bad_examples_are_refused() {
    for path in examples("bad") {
        if path.ends_with("freebsd-vnet-disable.json") {
            continue;
        }
        assert!(answer(&path).is_err(), "{} was accepted", path.display());
    }
}
