//! The power goes at every sync of what a phone and a server do, and any part of what was not synced is gone. What was
//! acknowledged is there afterwards, the store is whole, and work goes on.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod cold_starts;
mod edits;
mod full_disk;
mod meetings;
mod migrations;
mod rebuilds;
mod recoveries;
mod servers;
mod syncs;
mod the_disk;
mod trial;
