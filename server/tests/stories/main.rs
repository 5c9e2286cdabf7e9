//! Stories about the server, told without HTTP but where it says so.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, unreachable_pub)]

mod carried;
mod enrolment;
mod exchange;
mod field;
mod figures;
mod http;
mod readmitted;
mod turns;
