//! A phone: the store of its records, its link to the server, and the public Rust API.

pub mod link;
