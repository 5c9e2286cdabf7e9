//! The stages of a case's way.

use super::codes::codes;

codes! {
    /// A stage, in the order of a case's way; side exits last. Shown stages are derived: [`crate::standing::stage`].
    Stage {
        /// Somebody asked; nothing registered.
        Enquiry = "enquiry",
        /// Registered at a point (enregistré).
        Registered = "registered",
        /// Attended an awareness session (orienté).
        Oriented = "oriented",
        /// Attended another module.
        InTraining = "in_training",
        /// Awareness and one other module completed.
        TrainingCompleted = "training_completed",
        /// Counselled with the mission at a distance.
        VirtualCounselling = "virtual_counselling",
        /// A mission was asked to take the case.
        HandoverProposed = "handover_proposed",
        /// The mission holds the case.
        Accepted = "accepted",
        /// Left Morocco.
        Departed = "departed",
        /// Reached the country of return.
        Arrived = "arrived",
        /// The reintegration plan is agreed.
        PlanAgreed = "plan_agreed",
        /// The plan is followed up.
        FollowUp = "follow_up",
        /// Ended in the ordinary way.
        Closed = "closed",
        /// Side exit: withdrawn by the migrant.
        Withdrawn = "withdrawn",
        /// Side exit: referred elsewhere.
        Referred = "referred",
        /// Side exit: not eligible.
        NotEligible = "not_eligible",
        /// Side exit: deceased.
        Deceased = "deceased",
        /// Side exit: duplicate of another case.
        Duplicate = "duplicate",
    }
}

impl Stage {
    /// Whether a case leaves its way here.
    #[must_use]
    pub fn is_side_exit(self) -> bool {
        self >= Self::Withdrawn
    }

    /// Whether staff declare this stage. The others follow from registering, attendance, handover and departure.
    #[must_use]
    pub fn is_declared(self) -> bool {
        self.is_side_exit()
            || matches!(self, Self::VirtualCounselling | Self::PlanAgreed | Self::FollowUp | Self::Closed)
    }
}
