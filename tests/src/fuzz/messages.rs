//! Signed documents: grants and enrolments.

use foras_record::proof;
use foras_wire::enrol::{EnrolAnswer, EnrolRequest};
use foras_wire::frame::{from_cbor, to_cbor};
use foras_wire::grant::SignedGrant;
use foras_wire::id::{PublicKey, Signature64};

use super::story;

fn answers() -> Vec<EnrolAnswer> {
    story::travelled().enrolments.iter().filter_map(|bytes| from_cbor("answer", bytes).ok()).collect()
}

pub(super) fn grants() -> Vec<Vec<u8>> {
    answers().iter().flat_map(|answer| [to_cbor(&answer.grant), answer.grant.bytes.clone()]).collect()
}

/// A signed grant, and the bytes of a grant that somebody else signed.
pub(super) fn grant(bytes: &[u8]) {
    let stranger = PublicKey([0; 32]);
    if let Ok(signed) = from_cbor::<SignedGrant>("grant", bytes) {
        assert!(proof::verify_grant(&stranger, &signed).is_err(), "a key of small order vouches for nothing");
        let _ = signed.grant();
    }
    let unsigned = SignedGrant { bytes: bytes.to_vec(), signature: Signature64([0; 64]) };
    let _ = unsigned.grant();
}

pub(super) fn enrolments() -> Vec<Vec<u8>> {
    story::travelled().enrolments.clone()
}

/// An enrolment's request and its answer.
pub(super) fn enrolment(bytes: &[u8]) {
    if let Ok(request) = from_cbor::<EnrolRequest>("enrolment", bytes) {
        let _ = proof::verify_enrolment(&request);
        assert_eq!(from_cbor::<EnrolRequest>("enrolment", &to_cbor(&request)).as_ref(), Ok(&request));
    }
    if let Ok(answer) = from_cbor::<EnrolAnswer>("answer", bytes) {
        let _ = proof::verify_grant(&answer.server_key, &answer.grant);
    }
}
