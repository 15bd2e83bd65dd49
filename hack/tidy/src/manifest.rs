//! Reads the names in the dependency tables of a Cargo.toml; knows no more of TOML than that.

/// One dependency: the package's name, the line it stands on, whether only tests use it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Dependency {
    pub(crate) package: String,
    pub(crate) line: usize,
    pub(crate) for_tests: bool,
}

pub(crate) fn dependencies(toml: &str) -> Vec<Dependency> {
    let mut table = String::new();
    let mut found = Vec::new();
    for (index, line) in toml.lines().enumerate() {
        let line = line.split('#').next().unwrap_or("").trim();
        if let Some(header) = line.strip_prefix('[') {
            table = header.trim_end_matches(']').to_owned();
            // The form `[dependencies.NAME]` names its dependency in the header.
            if let Some((parent, name)) = table.rsplit_once('.') {
                found.extend(dependency(parent, name, "", index));
            }
        } else if let Some((key, value)) = line.split_once('=') {
            let name = key.split('.').next().unwrap_or(key);
            found.extend(dependency(&table, name, value, index));
        }
    }
    found
}

fn dependency(table: &str, name: &str, value: &str, index: usize) -> Option<Dependency> {
    let kind = table.rsplit('.').next()?;
    if !matches!(
        kind,
        "dependencies" | "dev-dependencies" | "build-dependencies"
    ) || table.starts_with("workspace")
    {
        return None;
    }
    let renamed = value
        .split_once("package")
        .and_then(|(_, rest)| rest.split('"').nth(1));
    Some(Dependency {
        package: renamed.unwrap_or(name.trim().trim_matches('"')).to_owned(),
        line: index + 1,
        for_tests: kind == "dev-dependencies",
    })
}

#[cfg(test)]
mod tests {
    use super::dependencies;

    #[test]
    fn every_form_of_a_dependency_is_read() {
        let toml = "[package]\nname = \"x\"\n[dependencies]\na.workspace = true\nb = \"1\" # c\n\
                    d = { package = \"real\", version = \"1\" }\n[dev-dependencies]\ne = \"1\"\n\
                    [target.'cfg(unix)'.dependencies]\nf = \"1\"\n[dependencies.g]\nversion = \"1\"\n";
        let found: Vec<_> = dependencies(toml)
            .into_iter()
            .map(|d| (d.package, d.for_tests))
            .collect();
        let names = ["a", "b", "real", "e", "f", "g"];
        assert_eq!(found, names.map(|name| (name.to_owned(), name == "e")));
    }
}
