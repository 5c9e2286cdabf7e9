//! First syncs of many phones are admitted in turn.

use minicbor::{Decode, Encode};

/// Instead of pages and heads, after the acknowledgements: the device's first sync has to wait for its turn. What it handed
/// in is taken all the same, and its place in the queue is kept for a while.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub struct Turn {
    /// When to ask again, in seconds from now.
    #[n(0)]
    pub after_s: u32,
    /// How many devices come before it.
    #[n(1)]
    pub ahead: u32,
}
