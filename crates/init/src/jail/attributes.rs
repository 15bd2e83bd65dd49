//! The plan's attributes of a mount, set by one call, or by none where there are none.

use hull_spec::plan::MountAttributes;
use hull_sys::{
    Errno,
    fd::OwnedFd,
    mount::{self, Attributes, Depth},
};

pub(super) fn set(mount: &OwnedFd, plan: MountAttributes, depth: Depth) -> Result<(), Errno> {
    if plan == MountAttributes::default() {
        return Ok(());
    }
    let MountAttributes { set, clear } = plan;
    let attributes = Attributes {
        set,
        clear,
        ..Attributes::default()
    };
    mount::set_attributes(mount, attributes, depth)
}
