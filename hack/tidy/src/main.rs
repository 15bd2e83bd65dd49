//! Checks the rules of this repository that no compiler checks.
//!
//! Every rule is one function from the files to what is wrong with them, with a good and a bad
//! sample in its tests. `cargo run -p tidy` prints one line per finding, in the form
//! `file:line: rule: what to do instead`, and fails when there is any.
#![forbid(unsafe_code)]

mod boundaries;
mod cycles;
mod documents;
mod ladder;
mod lexer;
mod limits;
mod manifest;
mod modules;
mod names;
mod notes;
mod plan;
mod purity;
mod repo;
mod syntax;
mod text;
mod unsafety;

use repo::{Finding, Repo};
use std::process::ExitCode;

type Rule = fn(&Repo) -> Vec<Finding>;

const RULES: &[(&str, Rule)] = &[
    ("layers", ladder::crates_use_only_lower_layers),
    ("suite-alone", ladder::the_suite_links_none_of_ours),
    ("cycles", cycles::modules_import_without_cycles),
    ("unsafe", unsafety::only_sys_is_unsafe),
    ("forbid-unsafe", unsafety::the_others_forbid_it),
    ("pure", purity::bpf_and_spec_only_compute),
    ("bundle-only", purity::spec_reads_only_the_bundle),
    ("cli-names", boundaries::hull_names_no_system_crate),
    (
        "quiet",
        boundaries::libcontainer_neither_prints_nor_reads_argv,
    ),
    ("raw-spec", boundaries::raw_spec_types_stay_in_spec),
    ("plan-options", plan::the_plan_has_no_optional_bool),
    ("stored-status", plan::status_is_not_stored),
    ("clone3", plan::one_clone3_call_site),
    ("protocol-table", plan::every_message_is_in_its_table),
    ("file-length", limits::files_are_short),
    ("fn-length", limits::functions_fit_a_screen),
    ("name", names::modules_are_named_by_noun),
    ("adr-name", names::decisions_are_numbered),
    ("reason", notes::exceptions_have_a_reason),
    ("todo", notes::todos_name_an_issue),
    ("gap-reason", notes::gaps_have_a_reason),
    ("verbs", documents::readme_lists_every_verb),
    ("links", documents::links_lead_somewhere),
    ("named-files", documents::named_files_exist),
    ("hosts", text::no_registry_hosts),
    ("machine-paths", text::no_machine_paths),
];

fn main() -> ExitCode {
    let repo = match Repo::here() {
        Ok(repo) => repo,
        Err(why) => {
            eprintln!("tidy: {why}");
            return ExitCode::from(2);
        }
    };
    let mut count = 0;
    for (name, rule) in RULES {
        for finding in rule(&repo) {
            println!(
                "{}:{}: {name}: {}",
                finding.path, finding.line, finding.advice
            );
            count += 1;
        }
    }
    if count > 0 {
        eprintln!("tidy: {count} to mend");
        return ExitCode::FAILURE;
    }
    println!(
        "tidy: {} rules hold in {} files",
        RULES.len(),
        repo.files().count()
    );
    ExitCode::SUCCESS
}
