//! The container's session keyring.

use crate::{
    failure::{Context, Failure},
    labels::Labels,
    root::c_string,
};
use alloc::format;
use hull_spec::plan::{Keyring, Labelled};
use hull_sys::{Errno, keyring};

/// Joins a new one unless the caller's is kept. A kernel without keyrings has none to protect.
pub(crate) fn join(plan: &Keyring, labels: &Labels<'_>) -> Result<(), Failure> {
    let Keyring::Join(name) = plan else {
        return Ok(());
    };
    labels.set(Labelled::Keyring)?;
    let named = c_string(name).context("name the keyring")?;
    let id = match keyring::join_session(&named) {
        Err(Errno::ENOSYS) => return Ok(()),
        Err(Errno::EDQUOT) => {
            return Err(Errno::EDQUOT).with_context(|| {
                format!(
                    "join session keyring {name:?} (see kernel.keys.maxkeys, or --no-new-keyring)"
                )
            });
        }
        other => other.with_context(|| format!("join session keyring {name:?}"))?,
    };
    keyring::allow_owner_search(id).with_context(|| format!("set rights on keyring {name:?}"))
}
