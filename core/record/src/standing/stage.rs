//! The stage of a case, derived: nobody writes it, so replicas cannot disagree.

use super::{HandoverState, Standing};
use crate::event::Stage;

/// What a case's `path` says of its training. Filled by [`crate::indicator::attendance_of`].
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Attendance {
    /// Attended at least one awareness session, individual or group.
    pub oriented: bool,
    /// Attended at least one module other than awareness.
    pub trained: bool,
    /// Completed awareness and one other module.
    pub completed: bool,
}

/// The stage: a declared side exit, else the furthest of what facts and staff say.
#[must_use]
pub fn stage(standing: &Standing, attendance: Attendance) -> Stage {
    if let Some(exit) = standing.declared.filter(|stage| stage.is_side_exit()) {
        return exit;
    }
    let handover = standing.handover();
    let facts = [
        (standing.registered_on.is_some(), Stage::Registered),
        (attendance.oriented, Stage::Oriented),
        (attendance.trained, Stage::InTraining),
        (attendance.completed, Stage::TrainingCompleted),
        (matches!(handover, HandoverState::Proposed | HandoverState::Received), Stage::HandoverProposed),
        (handover == HandoverState::Accepted, Stage::Accepted),
        (standing.departed_on.is_some(), Stage::Departed),
        (standing.arrived_on.is_some(), Stage::Arrived),
    ];
    let reached = facts.into_iter().filter(|(holds, _)| *holds).map(|(_, stage)| stage);
    reached.chain(standing.declared).max().unwrap_or(Stage::Enquiry)
}
