//! `process.terminal` and `process.consoleSize`: is there a pty, and does its master reach anyone?

use crate::config::{ConsoleSize, Process as Raw};
use crate::plan::{Console, NamespaceKind, Namespaces, Terminal, TerminalSize};
use crate::request::Request;

use super::error::{At, ResolveError};

/// The pty of init's plan. Without `terminal` the size must be ignored (config.md#process).
pub(super) fn resolve(
    raw: Option<&Raw>,
    own: &Namespaces,
    request: &Request<'_>,
) -> Result<Terminal, ResolveError> {
    let at = At::new("/process/terminal");
    let wanted = raw.filter(|raw| raw.terminal.unwrap_or(false));
    if wanted.is_some() && request.detached && !request.console {
        return Err(
            at.breaks("cannot allocate tty if hull will detach without setting console socket")
        );
    }
    if request.console && (wanted.is_none() || !request.detached) {
        return Err(at.breaks("cannot use console socket if hull will not detach or allocate tty"));
    }
    let Some(raw) = wanted else {
        return Ok(Terminal::None);
    };
    Ok(Terminal::Pty {
        size: size(raw.console_size)?,
        console: if own.is_new(NamespaceKind::Mount) {
            Console::Bound
        } else {
            Console::Left
        },
    })
}

/// No rows of no columns are what the kernel means by a size that nobody knows.
fn size(raw: Option<ConsoleSize>) -> Result<TerminalSize, ResolveError> {
    let at = At::new("/process/consoleSize");
    let side = |value: u64, member| {
        u16::try_from(value).map_err(|_| at.member(member).breaks("must be at most 65535"))
    };
    match raw {
        None
        | Some(ConsoleSize {
            height: 0,
            width: 0,
        }) => Ok(TerminalSize::Caller),
        Some(ConsoleSize { height, width }) => Ok(TerminalSize::Set {
            height: side(height, "/height")?,
            width: side(width, "/width")?,
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::super::fixture::Scene;
    use super::*;

    const TERMINAL: &str = r#""process": {"terminal": true}"#;
    const NO_SOCKET: &str =
        "/process/terminal: cannot allocate tty if hull will detach without setting console socket";
    const NO_USE: &str =
        "/process/terminal: cannot use console socket if hull will not detach or allocate tty";

    fn scene(detached: bool, console: bool) -> Scene {
        Scene {
            detached,
            console,
            ..Scene::v2()
        }
    }

    #[test]
    fn a_terminal_and_its_socket_go_together() {
        for (detached, console, members, refusal) in [
            (true, false, "", None),
            (false, false, "", None),
            (true, true, "", Some(NO_USE)),
            (false, true, "", Some(NO_USE)),
            (true, true, r#""process": null"#, Some(NO_USE)),
            (true, false, TERMINAL, Some(NO_SOCKET)),
            (false, false, TERMINAL, None),
            (true, true, TERMINAL, None),
            (false, true, TERMINAL, Some(NO_USE)),
        ] {
            let scene = scene(detached, console);
            match refusal {
                Some(text) => assert_eq!(scene.refusal(members), text, "{scene:?} {members}"),
                None => drop(scene.plan(members)),
            }
        }
    }

    #[test]
    fn a_size_is_of_a_terminal_only() {
        for (terminal, size, expected) in [
            (false, r#"{"height": 1, "width": 70000}"#, None),
            (true, "null", Some(TerminalSize::Caller)),
            (
                true,
                r#"{"height": 0, "width": 0}"#,
                Some(TerminalSize::Caller),
            ),
            (
                true,
                r#"{"height": 33, "width": 111}"#,
                Some(TerminalSize::Set {
                    height: 33,
                    width: 111,
                }),
            ),
        ] {
            let members =
                format!(r#""process": {{"terminal": {terminal}, "consoleSize": {size}}}"#);
            let expected = expected.map_or(Terminal::None, |size| Terminal::Pty {
                size,
                console: Console::Bound,
            });
            let plan = scene(false, false).plan(&members);
            assert_eq!(plan.init.process.terminal, expected, "{members}");
        }
        let wide = r#""process": {"terminal": true, "consoleSize": {"height": 1, "width": 65536}}"#;
        scene(false, false).refuses(&[(wide, "/process/consoleSize/width: must be at most")]);
    }

    #[test]
    fn a_console_is_bound_in_a_mount_namespace_of_the_containers_own() {
        let shared = r#""linux": {"namespaces": [{"type": "pid"}]}, "process": {"terminal": true}"#;
        let plan = scene(false, false).plan(shared);
        let Terminal::Pty { console, .. } = plan.init.process.terminal else {
            panic!("no terminal");
        };
        assert_eq!(console, Console::Left);
    }
}
