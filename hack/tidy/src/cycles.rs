//! Inside a crate a module imports only lower ones: no circle of imports at all.

use crate::modules::{self, Graph, Module};
use crate::repo::{Finding, Repo};
use std::collections::BTreeSet;

pub(crate) fn modules_import_without_cycles(repo: &Repo) -> Vec<Finding> {
    let sources: BTreeSet<String> = repo
        .matching("", ".rs")
        .filter_map(|file| {
            file.path
                .split_once("/src/")
                .map(|(folder, _)| format!("{folder}/src/"))
        })
        .collect();
    let mut findings = Vec::new();
    for folder in &sources {
        let graph = modules::graph(repo, folder);
        findings.extend(
            circles(&graph)
                .iter()
                .map(|circle| describe(&graph, circle)),
        );
    }
    findings
}

/// One shortest circle through each group of modules that reach each other.
fn circles(graph: &Graph) -> Vec<Vec<Module>> {
    let mut found = Vec::new();
    let mut told: BTreeSet<&Module> = BTreeSet::new();
    for module in graph.edges.keys() {
        if told.contains(module) {
            continue;
        }
        let Some(circle) = shortest_way_back(graph, module) else {
            continue;
        };
        let reach = |from| reachable(graph, from);
        let ours = reach(module);
        told.extend(
            graph
                .edges
                .keys()
                .filter(|other| ours.contains(other) && reach(other).contains(module)),
        );
        found.push(circle);
    }
    found
}

fn reachable<'g>(graph: &'g Graph, from: &'g Module) -> BTreeSet<&'g Module> {
    let mut seen = BTreeSet::new();
    let mut left = vec![from];
    while let Some(module) = left.pop() {
        let next = graph
            .edges
            .get(module)
            .into_iter()
            .flat_map(|targets| targets.keys());
        left.extend(next.filter(|target| seen.insert(*target)));
    }
    seen
}

fn shortest_way_back(graph: &Graph, start: &Module) -> Option<Vec<Module>> {
    let mut ways = vec![vec![start.clone()]];
    let mut seen = BTreeSet::new();
    while !ways.is_empty() {
        let mut longer = Vec::new();
        for way in ways {
            for target in way.last().and_then(|last| graph.edges.get(last))?.keys() {
                if target == start {
                    return Some(way);
                }
                if seen.insert(target.clone()) {
                    longer.push(way.iter().cloned().chain([target.clone()]).collect());
                }
            }
        }
        ways = longer;
    }
    None
}

fn describe(graph: &Graph, circle: &[Module]) -> Finding {
    let name = |module: &Module| {
        if module.is_empty() {
            "crate".to_owned()
        } else {
            module.join("::")
        }
    };
    let way: Vec<String> = circle.iter().chain([&circle[0]]).map(name).collect();
    let next = circle.get(1).unwrap_or(&circle[0]);
    let advice = format!(
        "{}: move what both need to a lower module",
        way.join(" -> ")
    );
    graph.files[&circle[0]].finding(graph.edges[&circle[0]][next], advice)
}

#[cfg(test)]
mod tests {
    use super::modules_import_without_cycles;
    use crate::repo::Repo;

    #[test]
    fn importing_downwards_is_fine() {
        let repo = Repo::of(&[
            (
                "crates/x/src/lib.rs",
                "mod a; mod b; pub use a::A; use b::B;",
            ),
            (
                "crates/x/src/a.rs",
                "use crate::b::{self, B};\nfn f() { self::g() }",
            ),
            (
                "crates/x/src/b.rs",
                "#[cfg(test)] mod tests { use crate::a::A; }",
            ),
        ]);
        assert_eq!(modules_import_without_cycles(&repo), []);
    }

    #[test]
    fn a_circle_is_told_once_with_its_way() {
        let repo = Repo::of(&[
            ("crates/x/src/lib.rs", "mod a; mod b; mod c;"),
            ("crates/x/src/a.rs", "\nuse crate::b::B;"),
            ("crates/x/src/b.rs", "fn f() { super::c::g() }"),
            ("crates/x/src/c.rs", "use crate::{a::A};"),
        ]);
        let findings = modules_import_without_cycles(&repo);
        assert_eq!(findings.len(), 1);
        assert_eq!(
            (findings[0].path.as_str(), findings[0].line),
            ("crates/x/src/a.rs", 2)
        );
        assert!(findings[0].advice.starts_with("a -> b -> c -> a"));
    }

    #[test]
    fn a_child_that_imports_its_parent_which_uses_it_is_a_circle() {
        let repo = Repo::of(&[
            ("crates/x/src/lib.rs", "mod a;"),
            (
                "crates/x/src/a/mod.rs",
                "mod b; struct E; fn f() { b::g() }",
            ),
            ("crates/x/src/a/b.rs", "use super::E;"),
        ]);
        assert_eq!(modules_import_without_cycles(&repo).len(), 1);
    }
}
