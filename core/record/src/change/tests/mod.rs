#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod applied;
mod honest;
mod hostile;
mod lineage;
mod mutated;
mod world;
