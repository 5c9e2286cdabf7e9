//! Letting devices in: invitations, the codes said over the phone, and the enrolment itself.

mod code;
mod enrolment;
mod invitation;
mod readmit;

pub use invitation::{Invite, Invited};

pub(crate) use code::Throttle;
pub(crate) use enrolment::{ENROL_BYTES_MAX, TOKEN_MS, enrol};
pub(crate) use invitation::invite;
pub(crate) use readmit::{of_carried, readmit};
