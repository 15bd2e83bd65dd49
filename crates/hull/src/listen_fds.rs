//! Sockets that systemd, or conmon in its name, hands down: `LISTEN_FDS` of them, from 3 on.

use libcontainer::Sockets;
use std::ffi::OsStr;

/// Those that are meant for this process.
pub(crate) fn handed_down() -> Sockets {
    let (count, owner) = (
        std::env::var_os("LISTEN_FDS"),
        std::env::var_os("LISTEN_PID"),
    );
    Sockets {
        count: count_for(std::process::id(), count.as_deref(), owner.as_deref()),
        names: std::env::var("LISTEN_FDNAMES").ok(),
    }
}

/// Meant for another process, or no number: none.
fn count_for(pid: u32, count: Option<&OsStr>, owner: Option<&OsStr>) -> u32 {
    let number = |text: &OsStr| text.to_str()?.parse::<u32>().ok();
    if owner.is_some_and(|owner| number(owner) != Some(pid)) {
        return 0;
    }
    count.and_then(number).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::count_for;
    use std::ffi::OsStr;

    #[test]
    fn only_sockets_meant_for_this_process_count() {
        let table = [
            (None, None, 0),
            (Some("2"), None, 2),
            (Some("2"), Some("10"), 2),
            (Some("2"), Some("11"), 0),
            (Some("2"), Some("x"), 0),
            (Some("0"), Some("10"), 0),
            (Some("-1"), Some("10"), 0),
            (Some("many"), None, 0),
            (None, Some("10"), 0),
        ];
        for (count, owner, expected) in table {
            let found = count_for(10, count.map(OsStr::new), owner.map(OsStr::new));
            assert_eq!(found, expected, "{count:?} {owner:?}");
        }
    }
}
