//! config.md, `process`: args, env, cwd, terminal, user and what surrounds it.

use crate::case::{caller, case, ensure, may, must, same};
use crate::facts::worked;
use serde_json::json;

case!(
    the_working_directory_is_cwd,
    must(&["3.process.cwd"], "config.md#process: cwd is the working directory that will be set for the executable"),
    |bed| {
        let facts = bed.facts(&bed.config().set("/process/cwd", json!("/tmp")))?;
        same("cwd", &facts["cwd"], &json!("/tmp"))
    }
);

case!(
    a_missing_working_directory_is_made,
    may(&["3.process.cwd"], "config.md#process: cwd; hull makes it when missing, as crun does"),
    |bed| {
        let facts = bed.facts(&bed.config().set("/process/cwd", json!("/srv/made/here")))?;
        same("cwd", &facts["cwd"], &json!("/srv/made/here"))
    }
);

case!(
    a_relative_working_directory_is_refused,
    must(&["3.process.cwd", "1.Known-property-wrong-JSON-type"], "config.md#process: cwd MUST be an absolute path"),
    |bed| { bed.create_refused(&bed.config().set("/process/cwd", json!("tmp"))).map(drop) }
);

case!(
    a_working_directory_only_the_user_may_enter_works,
    must(&["3.process.cwd"], "config.md#process: cwd is set for the user of the process"),
    |bed| {
        use std::os::unix::fs::{PermissionsExt, chown};
        bed.host.needs_root()?;
        let home = bed.directory("home")?;
        chown(&home, Some(1000), Some(1000))?;
        std::fs::set_permissions(&home, PermissionsExt::from_mode(0o700))?;
        let config = bed.config().bind(&home, "/home", &["bind"]).set("/process/cwd", json!("/home"));
        let facts = bed.facts(&config.set("/process/user", json!({"uid": 1000, "gid": 1000})))?;
        same("cwd", &facts["cwd"], &json!("/home"))
    }
);

case!(
    a_working_directory_that_is_a_file_is_refused,
    caller(&["c8.not-a-directory"], "contracts 8: a cwd that is a file says `not a directory`"),
    |bed| {
        let output = bed.refused(&bed.config().set("/process/cwd", json!("/probe")))?;
        ensure!(output.stderr.contains("not a directory"), "{}", output.stderr);
        Ok(())
    }
);

case!(
    the_environment_is_exactly_env,
    must(
        &["3.process.env", "c6.15-container-env"],
        "config.md#process: env has the same semantics as environ; nothing of the runtime's own leaks in"
    ),
    |bed| {
        let config = bed.config().set("/process/env", json!(["PATH=/bin", "HOME=/", "A=1", "EMPTY=", "B=x=y z"]));
        let mut command = bed.command(&["run", "--bundle"]);
        command.arg(bed.bundle(&config)?.path).arg(bed.id()).env("LEAKED_BY_CALLER", "1").env("LD_PRELOAD", "");
        let facts = bed.finish(command)?.succeeded("run")?.step("report")?;
        let mut env: Vec<&str> =
            facts["env"].as_array().into_iter().flatten().filter_map(|entry| entry.as_str()).collect();
        env.sort_unstable();
        same("env", env, vec!["A=1", "B=x=y z", "EMPTY=", "HOME=/", "PATH=/bin"])
    }
);

case!(
    an_environment_without_path_is_accepted,
    must(&["3.process.env"], "config.md#process: env is optional and PATH is not required"),
    |bed| { bed.facts(&bed.config().set("/process/env", json!(["ONLY=1"]))).map(drop) }
);

case!(
    the_last_of_a_duplicate_variable_wins,
    must(&["3.process.env"], "hull: of a duplicate key in env the last one counts"),
    |bed| {
        let facts = bed.facts(&bed.config().set("/process/env", json!(["PATH=/bin", "X=first", "X=last"])))?;
        let text = facts["env"].to_string();
        ensure!(text.contains("X=last") && !text.contains("X=first"), "{text}");
        Ok(())
    }
);

case!(
    home_comes_from_passwd_when_unset,
    caller(&["c6.15-container-env"], "contracts 12: HOME from the container's passwd when env has none"),
    |bed| {
        let config = bed.config().set("/process/user", json!({"uid": 33, "gid": 33}));
        let bundle = bed.bundle(&config)?;
        std::fs::write(bundle.rootfs().join("etc/passwd"), "root:x:0:0::/root:/x\nweb:x:33:33::/srv/web:/x\n")?;
        let facts = bed.run_bundle(&bundle)?.succeeded("run")?.step("report")?;
        ensure!(facts["env"].to_string().contains("\"HOME=/srv/web\""), "env {}", facts["env"]);
        Ok(())
    }
);

case!(
    the_arguments_arrive_unchanged,
    must(
        &["3.process.args", "2.create-applies-all-but-process.args"],
        "config.md#process: args has the same semantics as argv of execvp"
    ),
    |bed| {
        let args = ["/probe", "report", "+", "", "two words", "--option", "ü", "'quoted' \"twice\" \\"];
        let facts = bed.facts(&bed.config().args(&args))?;
        same("args", &facts["args"], &json!(args))
    }
);

case!(
    a_bare_program_name_is_found_in_the_containers_path,
    must(&["3.process.args"], "config.md#process: args has execvp semantics: PATH of the container's env is searched"),
    |bed| {
        let config = bed.config().args(&["probe", "report"]).set("/process/env", json!(["PATH=/nowhere:/bin"]));
        same("args", &bed.facts(&config)?["args"][0], &json!("probe"))
    }
);

case!(
    a_program_missing_from_path_is_named_as_callers_expect,
    caller(&["c8.executable-file-not-found-in", "3.process.args"], "contracts 8: `executable file not found in $PATH`"),
    |bed| {
        let output = bed.refused(&bed.config().args(&["no-such-program"]))?;
        ensure!(output.stderr.contains("executable file not found in $PATH"), "{}", output.stderr);
        ensure!(output.stderr.contains("no-such-program"), "the program is not named: {}", output.stderr);
        Ok(())
    }
);

case!(
    an_absent_program_path_says_no_such_file,
    caller(
        &["c8.no-such-file-or-directory"],
        "contracts 8: `no such file or directory` for an absent argv[0] with a slash"
    ),
    |bed| {
        let output = bed.refused(&bed.config().args(&["/no/such/program"]))?;
        ensure!(output.stderr.contains("no such file or directory"), "{}", output.stderr);
        ensure!(output.stderr.contains("/no/such/program"), "the program is not named: {}", output.stderr);
        Ok(())
    }
);

case!(
    a_program_that_may_not_be_executed_says_permission_denied,
    caller(&["c8.permission-denied"], "contracts 8: `permission denied` for a program without x bit"),
    |bed| {
        let bundle = bed.bundle(&bed.config().args(&["/etc/data"]))?;
        std::fs::write(bundle.rootfs().join("etc/data"), "no program")?;
        let output = bed.run_bundle(&bundle)?;
        bed.is_clean_refusal(&output)?;
        ensure!(output.stderr.contains("permission denied"), "{}", output.stderr);
        Ok(())
    }
);

case!(
    empty_args_are_refused,
    must(
        &["3.process.args", "1.Known-property-wrong-JSON-type"],
        "config.md#process: args: this array MUST contain at least one entry"
    ),
    |bed| { bed.create_refused(&bed.config().set("/process/args", json!([]))).map(drop) }
);

case!(
    the_process_is_the_user_and_group_asked_for,
    must(&["3.user.uid"], "config.md#posix-platform-user: uid, gid in the container namespace"),
    |bed| {
        bed.host.needs_root()?;
        let config = bed.config().set("/process/user", json!({"uid": 1000, "gid": 1001}));
        let facts = bed.facts(&config)?;
        same("Uid", &facts["status"]["Uid"], &json!("1000\t1000\t1000\t1000"))?;
        same("Gid", &facts["status"]["Gid"], &json!("1001\t1001\t1001\t1001"))
    }
);

case!(
    additional_groups_are_exactly_those_listed,
    must(&["3.user.additionalGids"], "config.md#posix-platform-user: additionalGids are added to the process"),
    |bed| {
        bed.host.needs_root()?;
        let config = bed.config().set("/process/user", json!({"uid": 1000, "gid": 1000, "additionalGids": [7, 5, 10]}));
        let groups = bed.facts(&config)?["status"]["Groups"].clone();
        let mut groups: Vec<u32> =
            groups.as_str().unwrap_or_default().split_whitespace().filter_map(|gid| gid.parse().ok()).collect();
        groups.retain(|gid| *gid != 1000);
        same("Groups", groups, vec![5, 7, 10])
    }
);

case!(
    the_callers_groups_do_not_leak_in,
    must(
        &["3.user.additionalGids", "T-A18"],
        "T-A18b: a caller in groups 4,20,24; without additionalGids the process has none"
    ),
    |bed| {
        bed.host.needs_root()?;
        let bundle = bed.bundle(&bed.config())?;
        let command =
            bed.command_from(&["--groups", "4,20,24"], &["run", "--bundle", &bundle.path.to_string_lossy(), &bed.id()]);
        let facts = bed.finish(command)?.succeeded("run")?.step("report")?;
        let groups = facts["status"]["Groups"].as_str().unwrap_or_default().trim().to_owned();
        ensure!(groups.is_empty() || groups == "0", "groups {groups}");
        Ok(())
    }
);

case!(
    the_umask_is_the_one_asked_for,
    must(&["3.user.umask"], "config.md#posix-platform-user: umask of the user"),
    |bed| {
        let facts = bed.facts(&bed.config().set("/process/user/umask", json!(0o27)))?;
        same("umask", &facts["umask"], &json!("0027"))
    }
);

case!(
    the_umask_is_0022_when_unset,
    caller(&["3.user.umask", "T-A31"], "contracts 12: umask 0022 for the process when unset, whatever the caller's"),
    |bed| {
        let bundle = bed.bundle(&bed.config())?;
        let command =
            bed.command_from(&["--umask", "0077"], &["run", "--bundle", &bundle.path.to_string_lossy(), &bed.id()]);
        let facts = bed.finish(command)?.succeeded("run")?.step("report")?;
        same("umask", &facts["umask"], &json!("0022"))
    }
);

case!(
    the_process_leads_its_session,
    must(&["T-A29"], "T-A29: without a terminal the process is a session leader with no controlling tty"),
    |bed| {
        let config = bed.config().steps("report + open /dev/tty rw");
        let steps = bed.steps(&config)?;
        same("session", &steps[0]["sid"], &steps[0]["pid"])?;
        ensure!(steps[1]["errno"] == "ENXIO", "/dev/tty opened: {}", steps[1]);
        Ok(())
    }
);

case!(
    the_process_is_pid_1_of_its_namespace,
    must(
        &["4.namespaces.type"],
        "config-linux.md#namespaces: pid: processes inside see only those of the same pid namespace"
    ),
    |bed| {
        let steps = bed.steps(&bed.config().steps("report + list /proc"))?;
        same("pid", &steps[0]["pid"], &json!(1))?;
        let entries = worked(&steps, "list", "/proc")?;
        let pids = entries
            .as_array()
            .into_iter()
            .flatten()
            .filter(|name| name.as_str().is_some_and(|name| name.parse::<u32>().is_ok()));
        same("processes in /proc", pids.count(), 1)
    }
);

case!(
    only_the_standard_descriptors_are_open,
    must(&["2.fds", "T-A15"], "runtime.md: by default only stdin, stdout and stderr are kept open for the process"),
    |bed| {
        let bundle = bed.bundle(&bed.config())?;
        let caller = ["--fd", "3:/", "--fd", "7:/etc/passwd", "--fd", "19:/etc"];
        let command = bed.command_from(&caller, &["run", "--bundle", &bundle.path.to_string_lossy(), &bed.id()]);
        let facts = bed.finish(command)?.succeeded("run")?.step("report")?;
        let mut fds: Vec<&String> = facts["fds"].as_object().into_iter().flatten().map(|(fd, _)| fd).collect();
        fds.sort();
        same("open descriptors", fds, vec!["0", "1", "2"])
    }
);
