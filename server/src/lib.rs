//! The server that merges: enrolment, admission, rulings, audience logs, and the one exchange.
//!
//! [`Server`] is synchronous and takes clock and randomness as arguments; [`http`] is a thin layer above it. A reader
//! finds letting devices in under `enrol/`, the exchange under `exchange/`, how changes come into the records under
//! `intake/`, and all SQL under `storage/`.

// The stories' field is used inside the crate as well.
#[cfg(test)]
extern crate self as foras_server;

mod access;
pub mod clock;
mod content;
mod devices;
mod enrol;
mod entropy;
mod error;
mod exchange;
mod facts;
mod folder;
mod grants;
pub mod http;
mod intake;
mod keys;
mod packs;
mod programme;
mod ready;
mod recovery;
mod refusal;
mod server;
mod storage;
mod wakes;

pub use devices::{EnrolledDevice, Revocation};
pub use enrol::{Invite, Invited};
pub use entropy::{Entropy, OsEntropy, SeededEntropy};
pub use error::ServerError;
pub use exchange::{Sink, Turns};
pub use packs::PackSizes;
pub use server::Server;

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests;

#[doc = include_str!("../../core/docs/security.md")]
pub mod security {}
