//! Which module of a crate names which other: the graph that the rule on cycles walks.
//!
//! A module is a file. Tests are left out, since they may look up. What a module re-exports is
//! followed to where it is defined, so that a facade is no import of all that stands behind it.

use crate::repo::{File, Repo};
use crate::syntax::{closing, identifier, item_end, line_of, words};
use std::collections::{BTreeMap, BTreeSet};

/// A path of names below the crate's root; the root itself is empty.
pub(crate) type Module = Vec<String>;

#[derive(Default)]
pub(crate) struct Graph<'a> {
    pub(crate) files: BTreeMap<Module, &'a File>,
    /// For each module the modules that it names, with the line of the first mention.
    pub(crate) edges: BTreeMap<Module, BTreeMap<Module, usize>>,
    exports: BTreeMap<(Module, String), Module>,
}

/// The graph of the crate in `folder`.
pub(crate) fn graph<'a>(repo: &'a Repo, folder: &'a str) -> Graph<'a> {
    let mut graph = Graph::default();
    for file in repo.matching(folder, ".rs") {
        if let Some(module) = module_of(&file.path[folder.len()..]) {
            graph.files.entry(module).or_insert(file);
        }
    }
    let mentions: Vec<_> = graph
        .files
        .iter()
        .map(|(module, file)| (module.clone(), mentions(file, module)))
        .collect();
    for (module, mentions) in &mentions {
        for mention in mentions.iter().filter(|mention| mention.exported) {
            let (target, rest) = graph.walk(&mention.path);
            if let ([name], false) = (rest, target == *module) {
                graph.exports.insert((module.clone(), name.clone()), target);
            }
        }
    }
    for (module, mentions) in mentions {
        let targets: BTreeMap<Module, usize> = mentions
            .iter()
            .rev()
            .filter(|mention| !mention.exported)
            .map(|mention| (graph.definition(&mention.path), mention.line))
            .filter(|(target, _)| *target != module)
            .collect();
        graph.edges.insert(module, targets);
    }
    graph
}

impl Graph<'_> {
    /// The deepest module on `path`, and what is left of the path behind it.
    fn walk<'p>(&self, path: &'p [String]) -> (Module, &'p [String]) {
        let depth = (0..=path.len())
            .rev()
            .find(|&depth| self.files.contains_key(&path[..depth]));
        let depth = depth.unwrap_or(0);
        (path[..depth].to_vec(), &path[depth..])
    }

    /// The module that defines what `path` names, through as many re-exports as there are.
    fn definition(&self, path: &[String]) -> Module {
        let (mut module, rest) = self.walk(path);
        let Some(name) = rest.first() else {
            return module;
        };
        let mut seen = BTreeSet::new();
        while let Some(next) = self.exports.get(&(module.clone(), name.clone())) {
            if !seen.insert(module.clone()) {
                break;
            }
            module = next.clone();
        }
        module
    }
}

/// `a/mod.rs` and `a.rs` are the module a; programs beside a library are crates of their own.
fn module_of(path: &str) -> Option<Module> {
    let stem = path.strip_suffix(".rs")?;
    if stem.starts_with("bin/") || stem.ends_with("/tests") || stem == "tests" {
        return None;
    }
    let mut names: Module = stem.split('/').map(str::to_owned).collect();
    if matches!(names.last()?.as_str(), "mod" | "lib" | "main") {
        names.pop();
    }
    Some(names)
}

struct Mention {
    path: Vec<String>,
    line: usize,
    exported: bool,
}

/// All paths in the file that lead into its own crate, from the crate's root on.
fn mentions(file: &File, module: &[String]) -> Vec<Mention> {
    let code = file.product_code();
    let mut found = Vec::new();
    for head in ["crate", "super", "self"] {
        for at in words(code, head).filter(|at| code[at + head.len()..].starts_with("::")) {
            if code[..at].ends_with("::") || code[..at].ends_with("pub(in ") {
                continue;
            }
            let base = enclosing(code, at, module);
            let exported = is_export(code, at);
            for tail in paths(&code[at..]) {
                let path = absolute(&base, &tail);
                found.push(Mention {
                    path,
                    line: line_of(code, at),
                    exported,
                });
            }
        }
    }
    found.extend(mentions_of_children(code, module));
    found
}

/// `child::name` where `mod child;` stands in the same file.
fn mentions_of_children(code: &str, module: &[String]) -> Vec<Mention> {
    let mut found = Vec::new();
    for declared in words(code, "mod").map(|at| identifier(code, at + 3)) {
        for at in words(code, declared).filter(|at| code[at + declared.len()..].starts_with("::")) {
            if code[..at].ends_with("::") {
                continue;
            }
            for tail in paths(&code[at..]) {
                let path = module.iter().cloned().chain(tail).collect();
                found.push(Mention {
                    path,
                    line: line_of(code, at),
                    exported: is_export(code, at),
                });
            }
        }
    }
    found
}

/// Whether the name at `at` belongs to a `pub use`.
fn is_export(code: &str, at: usize) -> bool {
    let statement = code[..at].rfind([';', '}']).map_or(0, |end| end + 1);
    let before = code[statement..at].trim();
    let before = before.rsplit(']').next().unwrap_or(before).trim();
    before.starts_with("pub") && words(before, "use").next().is_some()
}

/// The module at `at`: `module`, and the inline modules whose braces are open there.
fn enclosing(code: &str, at: usize, module: &[String]) -> Module {
    let mut base = module.to_vec();
    for start in words(&code[..at], "mod") {
        let end = item_end(code, start);
        if end > at && code[..end].ends_with('}') {
            base.push(identifier(code, start + 3).to_owned());
        }
    }
    base
}

fn absolute(base: &[String], tail: &[String]) -> Module {
    let mut path = base.to_vec();
    for name in tail {
        match name.as_str() {
            "crate" => path.clear(),
            "super" => drop(path.pop()),
            "self" => {}
            name => path.push(name.to_owned()),
        }
    }
    path
}

/// The paths of the use tree or expression at the start of `code`: `a::{b, c::d}` has two.
fn paths(code: &str) -> Vec<Vec<String>> {
    let head = identifier(code, 0);
    let behind = code.trim_start()[head.len()..].trim_start();
    let here = vec![head.to_owned()];
    let Some(rest) = behind.strip_prefix("::").filter(|_| !head.is_empty()) else {
        return vec![if head.is_empty() { Vec::new() } else { here }];
    };
    let rest = rest.trim_start();
    let tails = if rest.starts_with('{') {
        let group = &rest[1..closing(rest, 0) - 1];
        split_group(group).into_iter().flat_map(paths).collect()
    } else {
        paths(rest)
    };
    tails
        .into_iter()
        .map(|tail| here.iter().cloned().chain(tail).collect())
        .collect()
}

/// The members of a use group, cut at the commas outside inner braces.
fn split_group(group: &str) -> Vec<&str> {
    let (mut depth, mut start, mut parts) = (0, 0, Vec::new());
    for (at, c) in group.char_indices() {
        match c {
            '{' => depth += 1,
            '}' => depth -= 1,
            ',' if depth == 0 => {
                parts.push(&group[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    parts.push(&group[start..]);
    parts
        .into_iter()
        .filter(|part| !part.trim().is_empty())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::{graph, paths};
    use crate::repo::Repo;

    #[test]
    fn a_use_tree_has_many_paths() {
        let joined: Vec<_> = paths("crate::{a::{B, c}, self, d::*};")
            .iter()
            .map(|p| p.join("/"))
            .collect();
        assert_eq!(joined, ["crate/a/B", "crate/a/c", "crate/self", "crate/d"]);
    }

    #[test]
    fn re_exports_are_followed_to_the_definition() {
        let repo = Repo::of(&[
            ("c/lib.rs", "mod a; mod b;\nfn f() { b::g() }"),
            (
                "c/a.rs",
                "use crate::b::Thing;\nmod tests { use super::X; }",
            ),
            ("c/b/mod.rs", "mod inner; pub use inner::Thing;"),
            ("c/b/inner.rs", "use super::super::a;"),
        ]);
        let graph = graph(&repo, "c/");
        let edges = |name: &str| {
            let module: Vec<String> = name
                .split('/')
                .filter(|n| !n.is_empty())
                .map(str::to_owned)
                .collect();
            graph.edges[&module]
                .keys()
                .map(|to| to.join("/"))
                .collect::<Vec<_>>()
        };
        assert_eq!(edges(""), ["b"]);
        assert_eq!(edges("a"), ["b/inner"]);
        assert_eq!(edges("b"), [""; 0]);
        assert_eq!(edges("b/inner"), ["a"]);
    }
}
