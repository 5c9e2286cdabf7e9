//! What travels between a phone and the server: identifiers, frames, limits, codec and versions.
//!
//! This crate has no clock, no IO and does not know automerge. A record is here a key and opaque chunks of bytes;
//! what they mean is `foras-record`'s matter.

pub mod audience;
pub mod carried;
pub mod codec;
mod dictionary;
pub mod enrol;
pub mod error;
pub mod frame;
pub mod grant;
pub mod id;
pub mod invitation;
pub mod items;
pub mod limits;
pub mod merkle;
pub mod pack;
pub mod page;
pub mod peer;
pub mod push;
pub mod reconcile;
pub mod record;
pub mod stream;
pub mod sync;
pub mod turn;
pub mod version;

#[doc = include_str!("../../docs/protocol.md")]
pub mod protocol {}
