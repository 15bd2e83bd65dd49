//! The one table of commands: parsing, help and dispatch read it, and nothing else lists a verb.

mod flags;

use crate::grammar::{Arguments, Command, Example, Flag, Order};

pub(crate) use flags::*;

/// What a command line can ask for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verb {
    Create,
    Delete,
    Features,
    Help,
    Kill,
    List,
    Run,
    Spec,
    Start,
    State,
}

/// The command of that name, if there is one.
pub(crate) fn find(name: &str) -> Option<(Verb, &'static Command)> {
    let found = COMMANDS.iter().find(|(_, command)| command.name == name);
    found.map(|(verb, command)| (*verb, command))
}

/// Accepted before the command, in any order.
pub(crate) static GLOBALS: &[&Flag] = &[
    &ROOT,
    &LOG,
    &LOG_FORMAT,
    &LOG_LEVEL,
    &DEBUG,
    &SYSTEMD_CGROUP,
    &CGROUP_MANAGER,
    &ROOTLESS,
    &CRIU,
    &HELP,
    &VERSION,
];

/// All commands, in the order of help.
pub(crate) static COMMANDS: &[(Verb, Command)] = &[
    (Verb::Create, CREATE),
    (Verb::Start, START),
    (Verb::State, STATE),
    (Verb::Kill, KILL),
    (Verb::Delete, DELETE),
    (Verb::Run, RUN),
    (Verb::List, LIST),
    (Verb::Spec, SPEC),
    (Verb::Features, FEATURES),
    (Verb::Help, HELP_COMMAND),
];

const ONE_CONTAINER: Arguments = Arguments {
    shown: "<container-id>",
    least: 1,
    most: 1,
};
const NOTHING: Arguments = Arguments {
    shown: "",
    least: 0,
    most: 0,
};

const CREATE: Command = Command {
    name: "create",
    about: "make a container from a bundle, up to the point where its process waits",
    arguments: ONE_CONTAINER,
    order: Order::AnyOrder,
    flags: &[
        &BUNDLE,
        &CONFIG,
        &CONSOLE_SOCKET,
        &PID_FILE,
        &NO_PIVOT,
        &NO_NEW_KEYRING,
        &PRESERVE_FDS,
        &NO_SUBREAPER_UNUSED,
        &HELP,
    ],
    description: "Everything is set up but the program is not executed: that is what start does.\n\
                  When create fails, nothing of the container is left.",
    examples: &[Example {
        line: "hull create --bundle /srv/web --pid-file /run/web.pid web",
        does: "make the container web",
    }],
};

const START: Command = Command {
    name: "start",
    about: "execute the program of a created container",
    arguments: ONE_CONTAINER,
    order: Order::AnyOrder,
    flags: &[&HELP],
    description: "Returns when the program runs, or with the reason why it could not be executed.",
    examples: &[Example {
        line: "hull start web",
        does: "let the container web go on",
    }],
};

const STATE: Command = Command {
    name: "state",
    about: "show the state of a container as JSON",
    arguments: ONE_CONTAINER,
    order: Order::AnyOrder,
    flags: &[&HELP],
    description: "The status is what the kernel says at this moment: creating, created, running,\n\
                  paused or stopped.",
    examples: &[Example {
        line: "hull state web",
        does: "print it",
    }],
};

const KILL: Command = Command {
    name: "kill",
    about: "send a signal to the process of a container (default: SIGTERM)",
    arguments: Arguments {
        shown: "<container-id> [signal]",
        least: 1,
        most: 2,
    },
    order: Order::FlagsFirst,
    flags: &[&ALL, &HELP],
    description: "The signal is a number or a name, with or without SIG: 9, KILL, SIGKILL, RTMIN+3.",
    examples: &[
        Example {
            line: "hull kill web",
            does: "ask it to end",
        },
        Example {
            line: "hull kill --all web KILL",
            does: "end every process in it",
        },
    ],
};

const DELETE: Command = Command {
    name: "delete",
    about: "remove a stopped container",
    arguments: ONE_CONTAINER,
    order: Order::AnyOrder,
    flags: &[&FORCE, &HELP],
    description: "Removes its cgroup and its record. A container that was created but never started\n\
                  is killed; one that runs needs --force.",
    examples: &[
        Example {
            line: "hull delete web",
            does: "after it has stopped",
        },
        Example {
            line: "hull delete --force web",
            does: "in whatever state it is",
        },
    ],
};

const RUN: Command = Command {
    name: "run",
    about: "create a container, start it, and wait for its end",
    arguments: ONE_CONTAINER,
    order: Order::AnyOrder,
    flags: &[
        &BUNDLE,
        &CONFIG,
        &DETACH,
        &KEEP,
        &CONSOLE_SOCKET,
        &PID_FILE,
        &NO_PIVOT,
        &NO_NEW_KEYRING,
        &PRESERVE_FDS,
        &NO_SUBREAPER,
        &HELP,
    ],
    description: "Signals go on to the container. The exit code is that of its process, or 128 and\n\
                  the number of the signal that ended it.",
    examples: &[
        Example {
            line: "hull run --bundle /srv/web web",
            does: "in the foreground",
        },
        Example {
            line: "hull run -d -b /srv/web web",
            does: "in the background",
        },
    ],
};

const LIST: Command = Command {
    name: "list",
    about: "list the containers under the root",
    arguments: NOTHING,
    order: Order::AnyOrder,
    flags: &[&FORMAT, &QUIET, &HELP],
    description: "A record that cannot be read is left out; --debug names it.",
    examples: &[
        Example {
            line: "hull list",
            does: "as a table",
        },
        Example {
            line: "hull list --format json",
            does: "as an array of what state shows",
        },
    ],
};

const SPEC: Command = Command {
    name: "spec",
    about: "write a config.json to begin with",
    arguments: NOTHING,
    order: Order::AnyOrder,
    flags: &[&BUNDLE, &SPEC_FILE, &FOR_ROOTLESS, &HELP],
    description: "The container runs sh from the directory rootfs beside the file. A file that is\n\
                  already there is never overwritten.",
    examples: &[
        Example {
            line: "hull spec",
            does: "in the current directory",
        },
        Example {
            line: "hull spec --rootless --bundle /srv/web",
            does: "to run without root",
        },
    ],
};

const FEATURES: Command = Command {
    name: "features",
    about: "show as JSON what this program can do",
    arguments: NOTHING,
    order: Order::AnyOrder,
    flags: &[&HELP],
    description: "Says what was built in, without a look at this host.",
    examples: &[Example {
        line: "hull features",
        does: "print the features document",
    }],
};

const HELP_COMMAND: Command = Command {
    name: "help",
    about: "show help for hull or for one command",
    arguments: Arguments {
        shown: "[command]",
        least: 0,
        most: 1,
    },
    order: Order::AnyOrder,
    flags: &[&HELP],
    description: "The same as hull --help and hull COMMAND --help.",
    examples: &[Example {
        line: "hull help run",
        does: "show what run takes",
    }],
};

#[cfg(test)]
mod tests {
    use super::{COMMANDS, Flag, GLOBALS, HELP, find};

    fn all_lists() -> Vec<(&'static str, &'static [&'static Flag])> {
        let commands = COMMANDS
            .iter()
            .map(|(_, command)| (command.name, command.flags));
        commands.chain([("hull", GLOBALS)]).collect()
    }

    #[test]
    fn no_two_flags_of_a_command_share_a_name() {
        for (command, flags) in all_lists() {
            let mut names: Vec<String> = flags.iter().map(|flag| flag.long.to_owned()).collect();
            names.extend(
                flags
                    .iter()
                    .flat_map(|flag| flag.shorts.chars())
                    .map(String::from),
            );
            let count = names.len();
            names.sort();
            names.dedup();
            assert_eq!(names.len(), count, "{command}");
        }
    }

    #[test]
    fn every_command_has_help_and_an_example() {
        for (command, flags) in all_lists() {
            assert!(flags.iter().any(|flag| flag.long == HELP.long), "{command}");
        }
        for (_, command) in COMMANDS {
            let prefix = format!("hull {}", command.name);
            assert!(
                command
                    .examples
                    .iter()
                    .all(|example| example.line.starts_with(&prefix))
            );
            assert!(!command.examples.is_empty(), "{}", command.name);
        }
    }

    #[test]
    fn commands_are_found_by_their_whole_name() {
        for (verb, command) in COMMANDS {
            assert_eq!(find(command.name).map(|(found, _)| found), Some(*verb));
        }
        for name in ["", "creat", "Create", "checkpointt", "--help"] {
            assert!(find(name).is_none(), "{name}");
        }
    }
}
