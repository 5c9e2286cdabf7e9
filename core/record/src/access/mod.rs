//! Who sees a record, and who writes what of it: one place that server, device and tests read.
//!
//! *Reading* is decided between records: [`audiences`]. *Writing* is decided by kind and field, creating included:
//! [`check_edits`] before a device writes, [`check_change`] when a foreign change asks to be let in. Both share one rule.

mod audiences;
mod author;
mod change;
mod error;
mod registering;
mod relation;
mod site;
mod text_ops;
mod writing;
mod written;

pub use audiences::audiences;
pub use author::{AuthorFacts, UnknownGrant};
pub use change::check_change;
pub use error::AccessError;
pub use registering::registering;
pub use relation::Relation;
pub use writing::{check_edits, may_create, may_write};
