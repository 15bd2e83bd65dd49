//! `rdma`: handles and objects per device, at least one of the two.

use oci_spec::runtime::LinuxRdma;

use crate::config::Entries;

use super::super::error::{At, ResolveError};
use super::writes::{Files, Writes};

const MAX: Files = ("rdma", "rdma.max", "rdma.max");
const POINTER: &str = "/linux/resources/rdma";

pub(super) fn resolve(
    devices: Option<&Entries<LinuxRdma>>,
    writes: &mut Writes,
) -> Result<(), ResolveError> {
    let all = At::new(POINTER);
    for (device, limits) in devices.iter().flat_map(|devices| devices.iter()) {
        let at = all.key(device);
        if device.is_empty() || device.contains(char::is_whitespace) {
            return Err(at.wrong(device, "is no device"));
        }
        let parts = [
            ("hca_handle", limits.hca_handles()),
            ("hca_object", limits.hca_objects()),
        ];
        let given = parts
            .iter()
            .filter_map(|(name, limit)| Some((name, (*limit)?)));
        let value: String = given
            .map(|(name, limit)| format!(" {name}={limit}"))
            .collect();
        if value.is_empty() {
            return Err(at.breaks("needs hcaHandles or hcaObjects"));
        }
        writes.put(MAX, format_args!("{device}{value}"), POINTER);
    }
    Ok(())
}
