#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod golden;
mod merging;
mod replayed;
pub(crate) mod samples;
mod stories;
mod texts;
