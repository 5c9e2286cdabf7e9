#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod exact;
mod golden;
mod hostile;
mod sizes;
mod world;
