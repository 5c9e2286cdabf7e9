//! What each kind holds, who sees it and who writes it: a file each.

pub mod assessment;
pub mod badge;
pub mod case;
pub mod country_note;
pub mod feedback;
pub mod module;
pub mod note;
pub mod path;
pub mod person;
pub mod project;
pub mod session;

use crate::field::Writer;
use crate::role::Role;

/// The five modules of the programme's training. Source: the programme's own list.
pub const MODULES: &[&str] = &["awareness", "life_soft_skills", "entrepreneurship_marketing", "agriculture", "crafts"];
/// The programmes under which people return, oldest first.
pub const PROGRAMMES: &[&str] = &["AVRR", "FORAS", "FORAS II"];
/// Sexes, as indicators group by them.
pub const SEXES: &[&str] = &["f", "m", "x", "unknown"];

/// Staff of the orientation points who work on cases.
pub(crate) const POINT_STAFF: &[Writer] = &[Writer::Role(Role::Outreach), Writer::Role(Role::HostCounsellor)];
/// Staff of the points, trainers included.
pub(crate) const ROSTER_STAFF: &[Writer] =
    &[Writer::Role(Role::Outreach), Writer::Role(Role::HostCounsellor), Writer::Role(Role::Trainer)];
/// Staff of the points, and the mission once it holds the case.
pub(crate) const CASE_STAFF: &[Writer] =
    &[Writer::Role(Role::Outreach), Writer::Role(Role::HostCounsellor), Writer::Holder];
/// Staff, the mission once it holds the case, and the migrant.
pub(crate) const CASE_STAFF_AND_OWN: &[Writer] =
    &[Writer::Role(Role::Outreach), Writer::Role(Role::HostCounsellor), Writer::Holder, Writer::Own];
/// Staff, and a mission that the case is opened to, before and after it holds it.
pub(crate) const STAFF_AND_MISSION: &[Writer] =
    &[Writer::Role(Role::Outreach), Writer::Role(Role::HostCounsellor), Writer::OpenedMission, Writer::Holder];
/// Counsellors who talk with the person in depth: the host mission's, and the origin mission's once it holds the case.
pub(crate) const COUNSELLORS: &[Writer] = &[Writer::Role(Role::HostCounsellor), Writer::Holder];
