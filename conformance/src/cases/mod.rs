//! The cases, one file per section of the spec and of the callers' contracts.
//! A case registers itself by `case!`; this list only names the files.

mod namespaces;
mod privileges;
mod process;
