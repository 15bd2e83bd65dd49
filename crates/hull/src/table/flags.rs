//! Every flag of every command, each once.

use crate::grammar::{Flag, Takes};

pub(crate) static HELP: Flag = Flag::switch("help", "show this help").short("h");
pub(crate) static VERSION: Flag = Flag::switch("version", "show the version").short("vV");

pub(crate) static ROOT: Flag = Flag::text(
    "root",
    "DIR",
    "where containers are recorded (default: /run/hull)",
);
pub(crate) static LOG: Flag = Flag::text(
    "log",
    "FILE",
    "append errors and diagnostics to FILE, or file:FILE",
);
pub(crate) static LOG_FORMAT: Flag = Flag {
    long: "log-format",
    shorts: "",
    takes: Takes::Word {
        words: &["text", "json"],
        refusal: "invalid log-format",
    },
    about: "form of the lines in the log (default: text)",
};
pub(crate) static LOG_LEVEL: Flag = Flag {
    long: "log-level",
    shorts: "",
    takes: Takes::Word {
        words: &["error", "warning", "info", "debug"],
        refusal: "invalid log-level",
    },
    about: "what to write beside the error of a failed command (default: error)",
};
pub(crate) static DEBUG: Flag =
    Flag::switch("debug", "one line for each stage, as --log-level debug");
pub(crate) static SYSTEMD_CGROUP: Flag = Flag::switch(
    "systemd-cgroup",
    "let systemd make the cgroup; cgroupsPath is then slice:prefix:name",
);
pub(crate) static CGROUP_MANAGER: Flag = Flag {
    long: "cgroup-manager",
    shorts: "",
    takes: Takes::Word {
        words: &["cgroupfs", "systemd", "disabled"],
        refusal: "invalid cgroup-manager",
    },
    about: "who makes the cgroup (default: cgroupfs)",
};
pub(crate) static ROOTLESS: Flag = Flag {
    long: "rootless",
    shorts: "",
    takes: Takes::Word {
        words: &["auto", "true", "false"],
        refusal: "invalid rootless",
    },
    about: "tolerate unwritable cgroups where no limit is asked (default: auto)",
};
pub(crate) static CRIU: Flag =
    Flag::text("criu", "PATH", "accepted for old callers, without effect");

pub(crate) static BUNDLE: Flag = Flag::text(
    "bundle",
    "DIR",
    "the bundle (default: the current directory)",
)
.short("b");
pub(crate) static CONFIG: Flag = Flag::text(
    "config",
    "FILE",
    "the configuration, relative to the bundle (default: config.json)",
)
.short("f");
pub(crate) static CONSOLE_SOCKET: Flag = Flag::text(
    "console-socket",
    "SOCKET",
    "send the terminal's master end to this unix socket",
);
pub(crate) static PID_FILE: Flag = Flag::text(
    "pid-file",
    "FILE",
    "write the pid of the container's process to FILE",
);
pub(crate) static NO_PIVOT: Flag = Flag::switch(
    "no-pivot",
    "enter the root filesystem by chroot, for hosts that live in an initramfs",
);
pub(crate) static NO_NEW_KEYRING: Flag = Flag::switch(
    "no-new-keyring",
    "stay in the session keyring of the caller",
);
pub(crate) static PRESERVE_FDS: Flag = Flag {
    long: "preserve-fds",
    shorts: "",
    takes: Takes::Number {
        shown: "N",
        most: 1 << 20,
    },
    about: "pass N descriptors from 3 on, after those of LISTEN_FDS",
};
pub(crate) static DETACH: Flag =
    Flag::switch("detach", "return as soon as the process runs").short("d");
pub(crate) static KEEP: Flag = Flag::switch("keep", "leave the stopped container to be deleted");
pub(crate) static NO_SUBREAPER: Flag = Flag::switch(
    "no-subreaper",
    "do not become the parent of orphans of the container",
);
pub(crate) static NO_SUBREAPER_UNUSED: Flag = Flag::switch(
    "no-subreaper",
    "accepted, without effect: create leaves at once",
);

pub(crate) static ALL: Flag =
    Flag::switch("all", "every process of the container, not only the first").short("a");
pub(crate) static FORCE: Flag = Flag::switch(
    "force",
    "kill it first if it runs; an absent container is no error",
)
.short("f");
pub(crate) static FORMAT: Flag = Flag {
    long: "format",
    shorts: "f",
    takes: Takes::Word {
        words: &["table", "json"],
        refusal: "invalid format option",
    },
    about: "form of the output (default: table)",
};
pub(crate) static QUIET: Flag = Flag::switch("quiet", "only the ids").short("q");
pub(crate) static FOR_ROOTLESS: Flag = Flag::switch(
    "rootless",
    "for a container without root: a user namespace that maps you to root",
);
pub(crate) static SPEC_FILE: Flag = Flag::text(
    "config",
    "FILE",
    "name of the file, relative to the bundle (default: config.json)",
)
.short("f");
