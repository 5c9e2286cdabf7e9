//! A phone: the store of its records, its link to the server, and the public Rust API.
//!
//! Everything works with no network. The store is synchronous and has one connection; what it returns is durable.

pub mod error;
pub mod exchange;
pub mod link;
pub mod phone;
pub mod store;

pub use error::Error;
pub use phone::Phone;

#[doc = include_str!("../../docs/architecture.md")]
pub mod architecture {}
