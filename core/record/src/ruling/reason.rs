//! Why an event has no effect: stable codes, shown with what to do.

/// No valid consent covers it.
pub const NO_CONSENT: &str = "no_consent";
/// A withdrawal that the author did not know stands against it.
pub const WITHDRAWN: &str = "withdrawn";
/// A minor's consent is the guardian's, recorded by staff.
pub const GUARDIAN_NEEDED: &str = "guardian_needed";
/// The mission has no transfer authorisation in force.
pub const NO_DESTINATION: &str = "no_destination";
/// The author is not of those who hold the case.
pub const NOT_HOLDER: &str = "not_holder";
/// No such proposal is open.
pub const NOT_PROPOSED: &str = "not_proposed";
/// A proposal is open already.
pub const ALREADY_PROPOSED: &str = "already_proposed";
/// The mission has accepted already.
pub const ALREADY_ACCEPTED: &str = "already_accepted";
/// It is not the author's to do.
pub const NOT_YOURS: &str = "not_yours";
/// The case is registered already.
pub const ALREADY_REGISTERED: &str = "already_registered";
/// The case is not registered.
pub const NOT_REGISTERED: &str = "not_registered";
/// Neither a consent to be assisted nor another legal basis is there.
pub const NO_BASIS: &str = "no_basis";
/// Only assistance may rest on a basis other than consent.
pub const CONSENT_ONLY: &str = "consent_only";
/// The case is at that point already.
pub const ALREADY_THERE: &str = "already_there";
/// A case cannot be joined with itself.
pub const SAME_CASE: &str = "same_case";
/// The cases are joined already, or not joined.
pub const NOTHING_TO_JOIN: &str = "nothing_to_join";
