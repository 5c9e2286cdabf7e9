//! What each kind holds, who sees it and who writes it: a file each.

pub mod person;

use crate::field::Writer;
use crate::role::Role;

/// Staff of the orientation points who work on cases.
pub(crate) const POINT_STAFF: &[Writer] = &[Writer::Role(Role::Outreach), Writer::Role(Role::HostCounsellor)];
/// Staff of the points, and the mission once it holds the case.
pub(crate) const CASE_STAFF: &[Writer] =
    &[Writer::Role(Role::Outreach), Writer::Role(Role::HostCounsellor), Writer::Holder];
/// Staff, the mission once it holds the case, and the migrant.
pub(crate) const CASE_STAFF_AND_OWN: &[Writer] =
    &[Writer::Role(Role::Outreach), Writer::Role(Role::HostCounsellor), Writer::Holder, Writer::Own];
