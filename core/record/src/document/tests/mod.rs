#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod golden;
mod merging;
mod replayed;
mod samples;
mod stories;
mod texts;
