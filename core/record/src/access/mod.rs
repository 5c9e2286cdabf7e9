//! Who sees a record, and who writes what of it: one place that server, device and tests read.

mod author;

pub use author::{AuthorFacts, UnknownGrant};
