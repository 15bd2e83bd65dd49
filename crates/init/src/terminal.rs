//! The payload's terminal: a new pty of the container's own devpts.
//!
//! Nothing in the container is trusted to be what its name says: the multiplexer is opened without
//! a symlink and checked to be one, the other end is opened through it and never by name
//! (CVE-2025-52565), and /dev/console is whatever the image put there until the pty covers it.

use crate::{
    conversation::Conversation,
    failure::{Context, Failure},
    root::Root,
};
use hull_spec::{
    plan::{Console, Process, Terminal, TerminalSize},
    protocol::{FromInit, Stage, ToInit},
};
use hull_sys::{
    Errno,
    fd::{AsFd, OwnedFd},
    mount::{self, Depth},
    path::{self, Open, Resolve},
    process,
    stat::{self, magic},
    terminal::{self, Size},
};

const MULTIPLEXER: (u32, u32) = (5, 2);
/// chown's word for "as it is": devpts gives the group that its mount names.
const UNCHANGED: u32 = u32::MAX;

/// Gives the plan's process its terminal; `/` is the container's root already, and writable yet.
pub(crate) fn take(process: &Process, parent: &Conversation) -> Result<(), Failure> {
    let Terminal::Pty { size, console } = process.terminal else {
        return Ok(());
    };
    parent.enter(Stage::Terminal)?;
    let slash = path::open(c"/", Open::PATH.and(Open::DIRECTORY)).context("open /")?;
    let root = Root::new(slash);
    let pty = Pty::open(&root)?;
    if let TerminalSize::Set { height, width } = size {
        let size = Size { height, width };
        terminal::set_size(&pty.peer, size).context("set the size of the terminal")?;
    }
    pty.give_to(process.uid)?;
    if console == Console::Bound {
        pty.cover_console(&root).context("/dev/console")?;
    }
    pty.hand_over(parent)?.control()
}

/// Both ends.
struct Pty {
    master: OwnedFd,
    peer: OwnedFd,
}

/// The end that the container keeps; the runtime has the other.
struct Handed(OwnedFd);

impl Pty {
    fn open(root: &Root) -> Result<Self, Failure> {
        let open = Open::READ_WRITE.and(Open::NO_TTY);
        let path = c"dev/pts/ptmx";
        let master = path::open_confined(root, path, open, Resolve::NO_SYMLINKS)
            .context("open /dev/pts/ptmx")?;
        let kind = stat::filesystem(&master).context("stat /dev/pts/ptmx")?;
        let node = stat::fstat(&master).context("stat /dev/pts/ptmx")?;
        if kind != magic::DEVPTS || node.char_device() != Some(MULTIPLEXER) {
            return Err(Failure::new(
                "/dev/pts/ptmx is not the multiplexer of a devpts",
            ));
        }
        terminal::unlock(&master).context("unlock the terminal")?;
        let peer = terminal::open_peer(&master).context("open the other end of the terminal")?;
        Ok(Self { master, peer })
    }

    fn give_to(&self, uid: u32) -> Result<(), Failure> {
        if stat::fstat(&self.peer).context("stat the terminal")?.uid == uid {
            return Ok(());
        }
        path::set_owner(&self.peer, uid, UNCHANGED).context("chown the terminal")
    }

    /// Puts the pty on /dev/console: on a file or a device, made where there is nothing.
    fn cover_console(&self, root: &Root) -> Result<(), Failure> {
        let (parent, name) = root.parent("/dev/console").context("open its directory")?;
        let exclusive = Open::READ.and(Open::EXCLUSIVE).and(Open::NO_FOLLOW);
        match path::create_at(&parent, &name, exclusive, 0o600).map(drop) {
            Ok(()) | Err(Errno::EEXIST) => {}
            other => other.context("make it")?,
        }
        let open = Open::PATH.and(Open::NO_FOLLOW);
        let found = path::open_at(&parent, &name, open).context("open it")?;
        let facts = stat::fstat(&found).context("stat it")?;
        if !facts.is_regular() && facts.char_device().is_none() {
            return Err(Failure::new("is neither a file nor a device"));
        }
        let peer = mount::clone_tree_of(&self.peer, Depth::One).context("clone the terminal")?;
        mount::attach(peer, found).context("bind the terminal")
    }

    /// Returns once the master is where the caller wanted it.
    fn hand_over(self, parent: &Conversation) -> Result<Handed, Failure> {
        let number = terminal::number(&self.master).context("number of the terminal")?;
        parent.hand(&FromInit::Terminal { number }, self.master.as_fd())?;
        parent.expect(ToInit::Continue)?;
        Ok(Handed(self.peer))
    }
}

impl Handed {
    /// Makes it stdio and the controlling terminal of the session that this process leads.
    fn control(self) -> Result<(), Failure> {
        terminal::control(&self.0).context("make it the controlling terminal")?;
        process::become_stdio(&self.0).context("make it stdio")
    }
}
