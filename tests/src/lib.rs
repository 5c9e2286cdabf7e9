//! The simulated world, in which stories of the programme are played with all the faults of the field; and offices with a
//! server over real HTTP.
#![allow(clippy::expect_used, clippy::panic)]

pub mod app;
pub mod dictionary;
pub mod fuzz;
pub mod intruder;
pub mod office;
pub mod point;
pub mod power;
pub mod proxy;
pub mod world;
