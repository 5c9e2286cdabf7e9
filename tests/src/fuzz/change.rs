//! The reader of changes, before automerge sees them.

use foras_record::change::forge::resealed;
use foras_record::change::{chunk_hash, parse};
use foras_record::packed;
use foras_wire::codec;
use foras_wire::enrol::EnrolRequest;
use foras_wire::frame::{decode_request, from_cbor};
use foras_wire::id::PublicKey;
use foras_wire::limits::{CHANGE_BYTES_MAX, CHANGE_DEPS_MAX, CHANGE_OPS_MAX, CHANGE_PREDS_MAX};
use foras_wire::push::{PackedPush, PushItem};

use super::story;

/// The items that phones pushed in the story.
pub(super) fn pushed() -> Vec<PushItem> {
    let requests = story::travelled().requests.iter().filter_map(|body| decode_request(body).ok());
    let enrolments = story::travelled().enrolments.iter();
    let keys = enrolments.filter_map(|body| Some(from_cbor::<EnrolRequest>("enrolment", body).ok()?.key));
    let keys: Vec<PublicKey> = keys.collect();
    // What a push only names is in somebody's rows, nobody's here: such a push is left out.
    let unpacked = |push: PackedPush| {
        keys.iter().find_map(|key| packed::push::unpacked(&push, key, &packed::Nothing).ok()).map(|push| push.items)
    };
    requests.flat_map(|request| request.pushes).filter_map(unpacked).flatten().collect()
}

pub(super) fn seeds() -> Vec<Vec<u8>> {
    let chunks = pushed().into_iter().map(|item| item.chunk);
    // What a packed body holds is no change, but as long as one.
    chunks.chain([codec::pack(&[1; 300])]).collect()
}

/// Damage is read as it is, and once more with a checksum that fits.
pub(super) fn run(bytes: &[u8]) {
    read(bytes);
    read(&resealed(bytes));
}

fn read(bytes: &[u8]) {
    let hash = chunk_hash(bytes);
    let Ok(change) = parse(bytes) else { return };
    assert_eq!(Ok(change.hash), hash);
    assert!(bytes.len() <= CHANGE_BYTES_MAX && change.deps.len() <= CHANGE_DEPS_MAX);
    assert!(change.op_count <= CHANGE_OPS_MAX && change.ops.len() as u64 == change.op_count);
    assert!(change.ops.iter().map(|op| op.preds.len()).sum::<usize>() <= CHANGE_PREDS_MAX);
    assert_eq!(change.bytes(), bytes);
}
