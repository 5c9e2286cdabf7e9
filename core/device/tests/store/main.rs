//! The store of a phone, against a server of few lines that rules by the same crate as the real one.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod arrivals;
mod canary;
mod copies;
mod desk;
mod files;
mod lists;
mod packs;
mod peers;
mod random;
mod refusals;
mod server;
mod stories;
