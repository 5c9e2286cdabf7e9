#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod honest;
mod hostile;
mod mutated;
mod world;
