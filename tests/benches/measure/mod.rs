//! How things are measured, and told.

pub(crate) mod cpu;
pub(crate) mod limit;
pub(crate) mod machine;
pub(crate) mod outcome;
pub(crate) mod process;
pub(crate) mod progress;
