//! The simulated world, in which stories of the programme are played with all the faults of the field.
#![allow(clippy::expect_used, clippy::panic)]

pub mod world;
