//! What `hull spec` writes: a config to start from, equal in meaning to the one runc writes.
//!
//! The two kinds differ in a few places only, so both are put together from the same text, with
//! the indent and the order of members that people know.

/// Differences between the two kinds.
struct Variant {
    /// After `mode=0620`: gid 5 is not mapped in a rootless container.
    pts_group: &'static str,
    sys: &'static str,
    /// Resources, or the mappings.
    limits: String,
    /// Between pid and ipc.
    network: &'static str,
    /// After mount.
    user: &'static str,
}

const SYSFS: &str = r#"			"type": "sysfs",
			"source": "sysfs",
			"options": [
"#;

const HOST_SYS: &str = r#"			"type": "none",
			"source": "/sys",
			"options": [
				"rbind",
"#;

const RESOURCES: &str = r#"		"resources": {
			"devices": [
				{
					"allow": false,
					"access": "rwm"
				}
			]
		},
"#;

const NETWORK: &str = r#"			{
				"type": "network"
			},
"#;

const USER: &str = r#",
			{
				"type": "user"
			}"#;

/// For a privileged caller.
#[must_use]
pub fn default_config() -> String {
    write(&Variant {
        pts_group: ",\n\t\t\t\t\"gid=5\"",
        sys: SYSFS,
        limits: RESOURCES.to_owned(),
        network: NETWORK,
        user: "",
    })
}

/// For a caller without privilege, who becomes the container's root.
#[must_use]
pub fn rootless_config(uid: u32, gid: u32) -> String {
    write(&Variant {
        pts_group: "",
        sys: HOST_SYS,
        limits: mapping("uidMappings", uid) + &mapping("gidMappings", gid),
        network: "",
        user: USER,
    })
}

fn mapping(name: &str, id: u32) -> String {
    format!(
        r#"		"{name}": [
			{{
				"containerID": 0,
				"hostID": {id},
				"size": 1
			}}
		],
"#
    )
}

fn write(variant: &Variant) -> String {
    [
        "{\n\t\"ociVersion\": \"1.3.0\",\n",
        &process(),
        ROOT,
        &mounts(variant),
        "\t\"linux\": {\n",
        &variant.limits,
        &namespaces(variant),
        PATHS,
        "\t}\n}\n",
    ]
    .concat()
}

fn process() -> String {
    let set = |name: &str| {
        format!(
            r#"			"{name}": [
				"CAP_AUDIT_WRITE",
				"CAP_KILL",
				"CAP_NET_BIND_SERVICE"
			]"#
        )
    };
    let sets = ["bounding", "effective", "permitted", "ambient"]
        .map(set)
        .join(",\n");
    format!("{PROCESS}\t\t\"capabilities\": {{\n{sets}\n\t\t}},\n{RLIMITS}")
}

const PROCESS: &str = r#"	"process": {
		"terminal": true,
		"user": {
			"uid": 0,
			"gid": 0
		},
		"args": [
			"sh"
		],
		"env": [
			"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
			"TERM=xterm"
		],
		"cwd": "/",
"#;

const RLIMITS: &str = r#"		"rlimits": [
			{
				"type": "RLIMIT_NOFILE",
				"hard": 1024,
				"soft": 1024
			}
		],
		"noNewPrivileges": true
	},
"#;

const ROOT: &str = r#"	"root": {
		"path": "rootfs",
		"readonly": true
	},
	"hostname": "runc",
"#;

/// Destination, type, source, options.
type Filesystem = (
    &'static str,
    &'static str,
    &'static str,
    &'static [&'static str],
);

const BEFORE_PTS: [Filesystem; 2] = [
    ("/proc", "proc", "proc", &[]),
    (
        "/dev",
        "tmpfs",
        "tmpfs",
        &["nosuid", "strictatime", "mode=755", "size=65536k"],
    ),
];

const AFTER_PTS: [Filesystem; 2] = [
    (
        "/dev/shm",
        "tmpfs",
        "shm",
        &["nosuid", "noexec", "nodev", "mode=1777", "size=65536k"],
    ),
    (
        "/dev/mqueue",
        "mqueue",
        "mqueue",
        &["nosuid", "noexec", "nodev"],
    ),
];

const CGROUP: Filesystem = (
    "/sys/fs/cgroup",
    "cgroup",
    "cgroup",
    &["nosuid", "noexec", "nodev", "relatime", "ro"],
);

fn mounts(variant: &Variant) -> String {
    let pts = format!("{PTS}{}\n\t\t\t]\n\t\t}}", variant.pts_group);
    let sys = format!("{SYS}{}{SYS_OPTIONS}", variant.sys);
    let mut mounts: Vec<String> = BEFORE_PTS.iter().map(mount).collect();
    mounts.push(pts);
    mounts.extend(AFTER_PTS.iter().map(mount));
    mounts.push(sys);
    mounts.push(mount(&CGROUP));
    format!("\t\"mounts\": [\n{}\n\t],\n", mounts.join(",\n"))
}

fn mount(&(destination, kind, source, options): &Filesystem) -> String {
    let quoted: Vec<String> = options
        .iter()
        .map(|option| format!("\t\t\t\t\"{option}\""))
        .collect();
    let options = match quoted.is_empty() {
        true => String::new(),
        false => format!(",\n\t\t\t\"options\": [\n{}\n\t\t\t]", quoted.join(",\n")),
    };
    format!(
        r#"		{{
			"destination": "{destination}",
			"type": "{kind}",
			"source": "{source}"{options}
		}}"#
    )
}

const PTS: &str = r#"		{
			"destination": "/dev/pts",
			"type": "devpts",
			"source": "devpts",
			"options": [
				"nosuid",
				"noexec",
				"newinstance",
				"ptmxmode=0666",
				"mode=0620""#;

const SYS: &str = r#"		{
			"destination": "/sys",
"#;

const SYS_OPTIONS: &str = r#"				"nosuid",
				"noexec",
				"nodev",
				"ro"
			]
		}"#;

fn namespaces(variant: &Variant) -> String {
    format!(
        r#"		"namespaces": [
			{{
				"type": "pid"
			}},
{}			{{
				"type": "ipc"
			}},
			{{
				"type": "uts"
			}},
			{{
				"type": "mount"
			}}{}
		],
"#,
        variant.network, variant.user
    )
}

const PATHS: &str = r#"		"maskedPaths": [
			"/proc/acpi",
			"/proc/asound",
			"/proc/kcore",
			"/proc/keys",
			"/proc/latency_stats",
			"/proc/timer_list",
			"/proc/timer_stats",
			"/proc/sched_debug",
			"/sys/firmware",
			"/proc/scsi"
		],
		"readonlyPaths": [
			"/proc/bus",
			"/proc/fs",
			"/proc/irq",
			"/proc/sys",
			"/proc/sysrq-trigger"
		]
"#;
