//! contracts.md 1-5: global options, the argument grammar, list, spec,
//! version and help, exit codes of usage errors.

use crate::case::{caller, case, ensure, same};
use crate::container::Container;
use serde_json::{Value, json};

case!(
    version_has_the_lines_callers_parse,
    caller(&["c1.9", "c2.h-help"], "contracts 1#9: `NAME version X.Y.Z`, `commit: ...`, `spec: ...`"),
    |bed| {
        for flag in ["--version", "-v"] {
            let output = bed.call_without_root(&[flag])?.succeeded(flag)?;
            let lines: Vec<&str> = output.stdout.lines().collect();
            ensure!(lines.len() >= 3, "{lines:?}");
            let words: Vec<&str> = lines[0].split_whitespace().collect();
            ensure!(
                words.len() == 3 && words[1] == "version" && !crate::runtime::version_in(lines[0]).is_empty(),
                "{:?}",
                lines[0]
            );
            ensure!(lines[1].starts_with("commit: "), "{:?}", lines[1]);
            ensure!(lines.iter().any(|line| line.starts_with("spec: ")), "{lines:?}");
            same("stderr", output.stderr, "")?;
        }
        Ok(())
    }
);

case!(
    help_names_the_program_and_its_verbs,
    caller(&["c2.h-help"], "contracts 2: help begins `NAME:`, then the program's name; exit 0"),
    |bed| {
        for flag in ["--help", "-h"] {
            let output = bed.call_without_root(&[flag])?.succeeded(flag)?;
            let lines: Vec<&str> = output.stdout.lines().collect();
            ensure!(lines.first() == Some(&"NAME:"), "{:?}", lines.first());
            let second = format!("   {} - Open Container Initiative runtime", bed.runtime.family);
            same("second line", lines.get(1).copied(), Some(second.as_str()))?;
            for verb in ["create", "start", "state", "kill", "delete", "run", "list", "spec", "features"] {
                ensure!(output.stdout.contains(verb), "help does not name {verb}");
            }
        }
        Ok(())
    }
);

case!(
    each_verb_has_help,
    caller(&["c2.h-help"], "contracts 2: `CMD -h`: second line `   NAME CMD - ...`; exit 0"),
    |bed| {
        for verb in ["create", "start", "state", "kill", "delete", "run", "list", "spec"] {
            let output = bed.call_without_root(&[verb, "--help"])?.succeeded(verb)?;
            let wanted = format!("   {} {verb} - ", bed.runtime.family);
            ensure!(
                output.stdout.lines().nth(1).is_some_and(|line| line.starts_with(&wanted)),
                "{verb}: {:?}",
                output.stdout.lines().nth(1)
            );
        }
        Ok(())
    }
);

case!(
    an_unknown_command_is_refused,
    caller(&["c3.Unknown-command-No-help-topic", "c5.usage-error"], "contracts 3: `No help topic for 'X'`, exit 1"),
    |bed| {
        let output = bed.call(&["dance"])?;
        ensure!(output.code == 1, "exit code {}", output.code);
        let said = format!("{}{}", output.stdout, output.stderr);
        ensure!(said.contains("No help topic for 'dance'"), "{said}");
        Ok(())
    }
);

case!(
    an_unknown_flag_is_refused,
    caller(
        &["c3.Unknown-command-No-help-topic", "c5.usage-error"],
        "contracts 3: `flag provided but not defined: -X`, exit 1"
    ),
    |bed| {
        let output = bed.call(&["state", "--colour", "x"])?;
        ensure!(output.code == 1, "exit code {}", output.code);
        let said = format!("{}{}", output.stdout, output.stderr);
        ensure!(said.contains("flag provided but not defined: -colour"), "{said}");
        Ok(())
    }
);

case!(
    a_flag_without_its_value_is_refused,
    caller(
        &["c3.Unknown-command-No-help-topic", "c8.flag-needs-an-argument"],
        "contracts 3: `flag needs an argument: --X`"
    ),
    |bed| {
        let output = bed.call(&["create", "--bundle"])?;
        ensure!(output.code == 1, "exit code {}", output.code);
        let said = format!("{}{}", output.stdout, output.stderr);
        ensure!(
            said.contains("flag needs an argument: -bundle") || said.contains("flag needs an argument: --bundle"),
            "{said}"
        );
        Ok(())
    }
);

case!(
    a_wrong_number_of_arguments_is_refused,
    caller(
        &["c3.Unknown-command-No-help-topic", "c5.usage-error"],
        "contracts 3: `\"CMD\" requires exactly N argument(s)`"
    ),
    |bed| {
        for args in [&["start"][..], &["state"], &["state", "a", "b"], &["create"], &["run", "a", "b"]] {
            let output = bed.call(args)?;
            ensure!(output.code == 1, "{args:?}: exit code {}", output.code);
            ensure!(output.stderr.replace('\\', "").contains("argument"), "{args:?}: {}", output.stderr);
            let said = output.stderr.replace('\\', "");
            ensure!(said.contains(&format!("\"{}\" requires", args[0])), "{args:?}: {said}");
        }
        Ok(())
    }
);

case!(
    flags_are_accepted_in_every_form,
    caller(
        &["c3.k-v", "c3.longname", "c4.1.b-bundle-DIR"],
        "contracts 3: `--k v`, `--k=v`, `-k v`, one dash before a long name, booleans with =true"
    ),
    |bed| {
        let bundle = bed.bundle(&bed.config().steps("say ran"))?;
        let path = bundle.path.to_string_lossy().into_owned();
        let equals = format!("--bundle={path}");
        let single = format!("-bundle={path}");
        let forms: [&[&str]; 6] = [
            &["--bundle", &path],
            &[&equals],
            &["-b", &path],
            &["-bundle", &path],
            &[&single],
            &["--no-pivot=false", "-b", &path],
        ];
        for form in forms {
            let id = bed.id();
            let args: Vec<&str> = std::iter::once("run").chain(form.iter().copied()).chain([id.as_str()]).collect();
            same(&format!("{form:?}"), bed.call(&args)?.succeeded("run")?.stdout.trim(), "ran")?;
        }
        Ok(())
    }
);

case!(
    flags_may_follow_the_id,
    caller(&["c3.Options-stop-at-the-first"], "contracts 3: create and run accept options on both sides of the id"),
    |bed| {
        let bundle = bed.bundle(&bed.config().steps("say ran"))?;
        let output = bed.call(&["run", &bed.id(), "--bundle", &bundle.path.to_string_lossy()])?;
        same("output", output.succeeded("run")?.stdout.trim(), "ran")
    }
);

case!(
    the_bundle_is_the_current_directory_by_default,
    caller(&["c4.1.b-bundle-DIR"], "contracts 4.1: --bundle defaults to the current directory"),
    |bed| {
        let bundle = bed.bundle(&bed.config().steps("say ran"))?;
        let mut command = bed.command(&["run", &bed.id()]);
        command.current_dir(&bundle.path);
        same("output", bed.finish(command)?.succeeded("run")?.stdout.trim(), "ran")
    }
);

case!(
    relative_paths_are_the_callers,
    caller(
        &["c4.1.b-bundle-DIR", "c6.1-pid-file"],
        "contracts 4.1: relative pid-file and log paths are made absolute before the bundle is entered"
    ),
    |bed| {
        bed.bundle(&bed.config())?;
        let mut command =
            bed.command(&["--log", "the.log", "create", "--bundle", "bundle", "--pid-file", "the.pid", &bed.id()]);
        command.current_dir(&bed.scratch);
        let container = Container::adopt(bed, &bed.id(), command, &bed.scratch.join("the.pid"))?;
        ensure!(bed.scratch.join("the.log").exists(), "no log at the caller's place");
        container.delete_force()
    }
);

case!(
    another_config_file_is_read_when_named,
    caller(
        &["c4.1.f-config-FILE"],
        "contracts 4.1: -f, --config FILE: another name for config.json, relative to the bundle"
    ),
    |bed| {
        let bundle = bed.bundle(&bed.config().steps("say ran"))?;
        std::fs::rename(bundle.path.join("config.json"), bundle.path.join("other.json"))?;
        let output =
            bed.call(&["run", "--config", "other.json", "--bundle", &bundle.path.to_string_lossy(), &bed.id()])?;
        same("output", output.succeeded("run")?.stdout.trim(), "ran")
    }
);

case!(
    list_of_nothing_is_empty,
    caller(
        &["c4.3.list-f-table-json-q", "c2.root-DIR", "c1.12"],
        "contracts 2: list on a missing root is empty, exit 0; 7.2: json is []"
    ),
    |bed| {
        let output = bed.call(&["list", "--format", "json"])?.succeeded("list")?;
        let listed: Value = serde_json::from_str(&output.stdout)?;
        ensure!(listed.is_null() || listed == json!([]), "{listed}");
        same("stderr", output.stderr, "")?;
        same("ids", bed.call(&["list", "-q"])?.succeeded("list -q")?.stdout.trim(), "")
    }
);

case!(
    list_shows_a_table,
    caller(&["c4.3.list-f-table-json-q"], "contracts 4.3: header `ID PID STATUS BUNDLE CREATED OWNER`; -q: ids only"),
    |bed| {
        let container = bed.create(&bed.config())?;
        let table = bed.call(&["list"])?.succeeded("list")?.stdout;
        let mut lines = table.lines().map(|line| line.split_whitespace().collect::<Vec<_>>());
        same("header", lines.next().unwrap_or_default(), vec!["ID", "PID", "STATUS", "BUNDLE", "CREATED", "OWNER"])?;
        let row = lines.next().unwrap_or_default();
        ensure!(
            row.len() >= 5 && row[0] == container.id && row[1] == container.pid().to_string() && row[2] == "created",
            "{row:?}"
        );
        for flag in ["-q", "--quiet"] {
            same(flag, bed.call(&["list", flag])?.succeeded("list -q")?.stdout.trim(), container.id.as_str())?;
        }
        Ok(())
    }
);

case!(
    list_refuses_an_unknown_format,
    caller(&["c4.3.list-f-table-json-q"], "contracts 4.3: `invalid format option`"),
    |bed| {
        let container = bed.create(&bed.config())?;
        let output = bed.call(&["list", "--format", "yaml"])?;
        container.delete_force()?;
        output.refuses_with("invalid format option")
    }
);

case!(
    list_survives_a_broken_entry,
    caller(&["c4.3.list-f-table-json-q"], "contracts 4.3: broken entries are skipped"),
    |bed| {
        let container = bed.create(&bed.config())?;
        let broken = bed.root().join("broken-entry");
        std::fs::create_dir(&broken)?;
        for name in ["state.json", "status", "state"] {
            std::fs::write(broken.join(name), "not json")?;
        }
        let output = bed.call(&["list", "-q"])?;
        std::fs::remove_dir_all(&broken)?;
        same("ids", output.succeeded("list")?.stdout.trim(), container.id.as_str())
    }
);

case!(
    spec_writes_a_config_that_runs,
    caller(&["c4.3.spec-b-DIR-rootless-f"], "contracts 4.3: spec writes config.json; with a program it runs as it is"),
    |bed| {
        bed.host.needs_root()?;
        let bundle = bed.bundle(&bed.config())?;
        std::fs::remove_file(bundle.path.join("config.json"))?;
        bed.call(&["spec", "--bundle", &bundle.path.to_string_lossy()])?.succeeded("spec")?;
        let mut config: Value = serde_json::from_slice(&std::fs::read(bundle.path.join("config.json"))?)?;
        same("args", &config["process"]["args"], &json!(["sh"]))?;
        config["process"]["args"] = json!(["/probe", "report"]);
        config["process"]["terminal"] = json!(false);
        config["linux"]["cgroupsPath"] = json!(bed.cgroups_path(""));
        bundle.write_bytes(config.to_string().as_bytes())?;
        bed.run_bundle(&bundle)?.succeeded("run")?.step("report").map(drop)
    }
);

case!(
    spec_keeps_an_existing_config,
    caller(&["c4.3.spec-b-DIR-rootless-f"], "contracts 4.3: `File config.json exists. Remove it first`"),
    |bed| {
        let dir = bed.directory("spec")?;
        std::fs::write(dir.join("config.json"), "mine")?;
        bed.call(&["spec", "--bundle", &dir.to_string_lossy()])?
            .refuses_with("File config.json exists. Remove it first")?;
        same("content", std::fs::read_to_string(dir.join("config.json"))?, "mine")
    }
);

case!(
    spec_rootless_has_a_user_namespace,
    caller(
        &["c4.3.spec-b-DIR-rootless-f"],
        "contracts 4.3: --rootless: user namespace added, network namespace and resources removed"
    ),
    |bed| {
        let dir = bed.directory("spec")?;
        bed.call(&["spec", "--rootless", "--bundle", &dir.to_string_lossy()])?.succeeded("spec")?;
        let config: Value = serde_json::from_slice(&std::fs::read(dir.join("config.json"))?)?;
        let kinds = config["linux"]["namespaces"].to_string();
        ensure!(kinds.contains("\"user\"") && !kinds.contains("\"network\""), "{kinds}");
        ensure!(config["linux"]["resources"].is_null(), "{}", config["linux"]["resources"]);
        same("mapping size", &config["linux"]["uidMappings"][0]["size"], &json!(1))
    }
);

case!(
    the_state_root_may_not_be_the_root_directory,
    caller(&["c2.root-DIR"], "contracts 2: `Option --root argument should not be set to /`"),
    |bed| {
        bed.call_without_root(&["--root", "/", "list"])?.refuses_with("Option --root argument should not be set to /")
    }
);

case!(
    global_options_are_accepted,
    caller(
        &["c2.criu-PATH", "c2.rootless-auto-true-false", "c2.debug", "c2.root-DIR"],
        "contracts 2: --criu, --rootless, --debug are accepted before the command in any order"
    ),
    |bed| {
        let root = bed.root();
        let root = root.to_string_lossy();
        for options in [&["--rootless", "auto"][..], &["--rootless=false"], &["--criu", "/usr/sbin/criu"], &["--debug"]]
        {
            let args: Vec<&str> = options.iter().copied().chain(["--root", &root, "list", "-q"]).collect();
            bed.call_without_root(&args)?.succeeded(&format!("{options:?}"))?;
        }
        Ok(())
    }
);

case!(
    success_prints_nothing,
    caller(&["c5.success", "c1.12"], "contracts 5: success is exit 0; hull: without --debug a success prints nothing"),
    |bed| {
        let container = bed.create(&bed.config().steps("exit 0"))?;
        same("create", (container.output(0).stdout.as_str(), container.output(0).stderr.as_str()), ("", ""))?;
        for verb in ["start", "delete"] {
            if verb == "delete" {
                container.wait()?;
            }
            let output = bed.call(&[verb, &container.id])?.succeeded(verb)?;
            same(verb, (output.stdout.as_str(), output.stderr.as_str()), ("", ""))?;
        }
        Ok(())
    }
);
