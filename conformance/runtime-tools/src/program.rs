//! One program, run once: in a place of its own, in a mount namespace of its
//! own, with a deadline, and cleaned up after.

use crate::account::{Account, Ending};
use crate::cgroups::Cgroups;
use crate::checkout::Checkout;
use crate::leftovers;
use crate::namespace::spawn_apart;
use crate::process::Handle;
use crate::runtime::Runtime;
use crate::tap::Document;
use std::fs::{self, File, Permissions};
use std::io::Read;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// More output than this is not read: it says nothing that the beginning did not.
const OUTPUT: u64 = 8 << 20;

#[derive(Debug)]
pub(crate) struct Outcome {
    pub(crate) account: Account,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
    pub(crate) left: Vec<String>,
    pub(crate) took: Duration,
}

/// The folder in which one program works: a copy of what it needs of the checkout, and its
/// TMPDIR, where it makes its bundles.
#[derive(Debug)]
pub(crate) struct Place {
    dir: PathBuf,
    keep: bool,
}

impl Place {
    pub(crate) fn lay(dir: PathBuf, checkout: &Checkout, program: &str, keep: bool) -> Result<Self, String> {
        let place = Self { dir, keep };
        let program = format!("validation/{program}");
        for file in checkout.files.iter().chain([&program]) {
            // Copies, no links: a program may write to them, and copies a link as a link.
            let (from, to) = (checkout.dir.join(file), place.checkout().join(file));
            let parent = to.parent().unwrap_or(&place.dir);
            fs::create_dir_all(parent).map_err(|error| format!("{}: {error}", parent.display()))?;
            fs::copy(&from, &to).map_err(|error| format!("copy {}: {error}", from.display()))?;
        }
        fs::create_dir(place.temporary()).map_err(|error| format!("{}: {error}", place.temporary().display()))?;
        // As /tmp is, whatever the umask: containers with a user namespace pass through.
        let open = |dir: &Path, mode| {
            fs::set_permissions(dir, Permissions::from_mode(mode))
                .map_err(|error| format!("{}: {error}", dir.display()))
        };
        open(&place.dir, 0o755)?;
        open(&place.temporary(), 0o1777)?;
        Ok(place)
    }

    fn checkout(&self) -> PathBuf {
        self.dir.join("checkout")
    }

    fn temporary(&self) -> PathBuf {
        self.dir.join("tmp")
    }

    fn file(&self, name: &str) -> Result<File, String> {
        let file = self.dir.join(name);
        File::create(&file).map_err(|error| format!("{}: {error}", file.display()))
    }

    fn text(&self, name: &str) -> String {
        let mut bytes = Vec::new();
        let read = File::open(self.dir.join(name)).and_then(|file| file.take(OUTPUT).read_to_end(&mut bytes));
        read.map(|_| String::from_utf8_lossy(&bytes).into_owned()).unwrap_or_default()
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if !self.keep {
            // Out here no mount of the program's namespace can be walked into.
            fs::remove_dir_all(&self.dir).unwrap_or_default();
        }
    }
}

/// Fails only where the program could not be run at all.
pub(crate) fn run(place: &Place, program: &str, runtime: &Runtime, deadline: Duration) -> Result<Outcome, String> {
    let began = Instant::now();
    let cgroups = Cgroups::snapshot();
    let mut child = start(place, program, runtime)?;
    let ending = Handle::of(&child).map(|handle| wait(&mut child, &handle, deadline));
    let left = leftovers::clear(&place.dir, runtime, &cgroups);
    let (stdout, stderr) = (place.text("stdout"), place.text("stderr"));
    let account = Account::of(Document::read(&stdout), ending?);
    Ok(Outcome { account, stdout, stderr, left, took: began.elapsed() })
}

fn start(place: &Place, program: &str, runtime: &Runtime) -> Result<Child, String> {
    let mut command = Command::new(place.checkout().join("validation").join(program));
    command.current_dir(place.checkout()).env("RUNTIME", &runtime.path).env("TMPDIR", place.temporary());
    // To files: what it leaves running may hold them open, and fill them, without stopping us.
    command.stdin(Stdio::null()).stdout(place.file("stdout")?).stderr(place.file("stderr")?);
    spawn_apart(&mut command)
}

fn wait(child: &mut Child, handle: &Handle, deadline: Duration) -> Ending {
    if !handle.ends_within(deadline) {
        handle.kill();
        if handle.ends_within(Duration::from_secs(5)) {
            handle.reap();
        }
        return Ending::Deadline(deadline);
    }
    match child.wait() {
        Ok(status) => status.code().map_or_else(|| Ending::Signal(status.signal().unwrap_or(0)), Ending::Status),
        Err(_) => Ending::Signal(0),
    }
}
