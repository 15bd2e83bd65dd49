//! The list of writes while it grows: one call per value, the layout chooses the file.

use crate::plan::{CgroupLayout, CgroupWrite, OnAbsence};

/// The list, while it grows.
#[derive(Debug)]
pub(super) struct Writes {
    layout: CgroupLayout,
    pub(super) list: Vec<CgroupWrite>,
}

/// One file in each layout: controller and file name under v1, file name under v2.
pub(super) type Files = (&'static str, &'static str, &'static str);

impl Writes {
    pub(super) fn new(layout: CgroupLayout) -> Self {
        Self {
            layout,
            list: Vec::new(),
        }
    }

    pub(super) fn is_v2(&self) -> bool {
        self.layout == CgroupLayout::V2
    }

    /// A limit that must be applied.
    pub(super) fn put(&mut self, files: Files, value: impl ToString, pointer: &'static str) {
        self.push(files, value.to_string(), pointer, OnAbsence::Fail);
    }

    /// A value that the kernel has anyway where the file is missing.
    pub(super) fn put_if_there(
        &mut self,
        files: Files,
        value: impl ToString,
        pointer: &'static str,
    ) {
        self.push(files, value.to_string(), pointer, OnAbsence::Skip);
    }

    pub(super) fn push(
        &mut self,
        (controller, v1, v2): Files,
        value: String,
        pointer: &'static str,
        on_absence: OnAbsence,
    ) {
        let file = if self.is_v2() { v2 } else { v1 }.to_owned();
        self.list.push(CgroupWrite {
            controller,
            file,
            value,
            pointer,
            on_absence,
        });
    }
}
