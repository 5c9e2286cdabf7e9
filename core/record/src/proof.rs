//! Signatures: who says what. A push is signed by its author's device; pages and grants by the server.
//!
//! All are Ed25519, checked strictly (no small-order keys, no malleable encodings).

use ed25519_dalek::{Signature, Signer, SigningKey, VerifyingKey};
use foras_wire::audience::AudienceName;
use foras_wire::carried::CarriedPush;
use foras_wire::enrol::EnrolRequest;
use foras_wire::error::WireError;
use foras_wire::grant::{Grant, SignedGrant};
use foras_wire::id::{
    Actor, ChangeHash, DeviceId, Digest32, Incarnation, Nonce, PackId, PublicKey, ServerId, Signature64,
};
use foras_wire::merkle;
use foras_wire::pack::Seal;
use foras_wire::page::Page;
use foras_wire::push::{self, Push, PushScope};
use foras_wire::reconcile::{Difference, Witness};
use foras_wire::sync::nonce_signed_bytes;

use crate::admission::Refusal;
use crate::change::{ChangeError, ParsedChange, chunk_hash};

/// The public half of `key`.
#[must_use]
pub fn public_key(key: &SigningKey) -> PublicKey {
    PublicKey(key.verifying_key().to_bytes())
}

fn sign(key: &SigningKey, bytes: &[u8]) -> Signature64 {
    Signature64(key.sign(bytes).to_bytes())
}

fn verify(what: &'static str, key: &PublicKey, bytes: &[u8], signature: &Signature64) -> Result<(), WireError> {
    let bad = || WireError::Signature(what);
    let key = VerifyingKey::from_bytes(&key.0).map_err(|_| bad())?;
    key.verify_strict(bytes, &Signature::from_bytes(&signature.0)).map_err(|_| bad())
}

/// Hashes of the push's changes, in their order. The hashes are of the chunks' own bytes, never claimed ones.
///
/// # Errors
/// [`ChangeError`] of the first chunk that is no plain change chunk.
pub fn push_hashes(push: &Push) -> Result<Vec<ChangeHash>, ChangeError> {
    push.items.iter().map(|item| chunk_hash(&item.chunk)).collect()
}

fn push_signed_bytes(scope: &PushScope, author: &PublicKey, push: &Push, hashes: &[ChangeHash]) -> Vec<u8> {
    let leaves: Vec<_> = push.items.iter().zip(hashes).map(|(item, hash)| push::leaf(&item.record, hash)).collect();
    let sets: Vec<_> = push.items.iter().map(|item| item.change_set).collect();
    push::signed_bytes(scope, author, &merkle::root(&leaves), &push::sets_digest(&sets))
}

fn scope(push: &Push, server: ServerId, epoch: u64) -> PushScope {
    PushScope { server, epoch, incarnation: push.incarnation, grant_revision: push.grant_revision }
}

/// Signs `push` with the device's key, for one server and epoch. `hashes` are [`push_hashes`] of it.
pub fn sign_push(key: &SigningKey, push: &mut Push, server: ServerId, epoch: u64, hashes: &[ChangeHash]) {
    let author = public_key(key);
    push.signature = sign(key, &push_signed_bytes(&scope(push, server, epoch), &author, push, hashes));
}

/// Checks that the holder of `author` signed exactly these changes, for this server and epoch. `hashes` are
/// [`push_hashes`] of the push.
///
/// # Errors
/// [`WireError::Signature`] when it did not.
pub fn verify_push(
    author: &PublicKey,
    push: &Push,
    server: ServerId,
    epoch: u64,
    hashes: &[ChangeHash],
) -> Result<(), WireError> {
    if hashes.len() != push.items.len() {
        return Err(WireError::Signature("push"));
    }
    verify("push", author, &push_signed_bytes(&scope(push, server, epoch), author, push, hashes), &push.signature)
}

fn carried_signed_bytes(
    carried: &CarriedPush,
    author: &PublicKey,
    server: ServerId,
    hashes: &[ChangeHash],
) -> Result<Vec<u8>, WireError> {
    let CarriedPush { epoch, incarnation, grant_revision, .. } = *carried;
    let (leaves, sets): (Vec<_>, Vec<_>) =
        carried.places(hashes)?.into_iter().map(|place| (place.leaf, place.change_set)).unzip();
    let scope = PushScope { server, epoch, incarnation, grant_revision };
    Ok(push::signed_bytes(&scope, author, &merkle::root(&leaves), &push::sets_digest(&sets)))
}

/// Hashes of the changes that a carried push shows, in their order.
///
/// # Errors
/// [`ChangeError`] of the first chunk that is no plain change chunk.
pub fn carried_hashes(carried: &CarriedPush) -> Result<Vec<ChangeHash>, ChangeError> {
    carried.items.iter().map(|item| chunk_hash(&item.chunk)).collect()
}

/// Signs a push that others will carry, with the author's key. `hashes` are [`carried_hashes`] of it.
///
/// # Errors
/// [`WireError`] when its hidden changes stand at impossible positions.
pub fn sign_carried(
    key: &SigningKey,
    carried: &mut CarriedPush,
    server: ServerId,
    hashes: &[ChangeHash],
) -> Result<(), WireError> {
    let bytes = carried_signed_bytes(carried, &public_key(key), server, hashes)?;
    carried.signature = sign(key, &bytes);
    Ok(())
}

/// Checks that the server granted something to the author, and that the author signed exactly these changes for this
/// server. Gives the author's grant. `hashes` are [`carried_hashes`] of the push.
///
/// # Errors
/// [`WireError`] when one of the signatures is not right, or the grant is older than the one that the push names.
pub fn verify_carried(
    server_key: &PublicKey,
    server: ServerId,
    carried: &CarriedPush,
    hashes: &[ChangeHash],
) -> Result<Grant, WireError> {
    let grant = verify_grant(server_key, &carried.grant)?;
    if grant.server != server || grant.revision < carried.grant_revision {
        return Err(WireError::Signature("grant"));
    }
    let bytes = carried_signed_bytes(carried, &grant.key, server, hashes)?;
    verify("carried push", &grant.key, &bytes, &carried.signature)?;
    Ok(grant)
}

/// The proof of a device, to another one, that it holds the key of the grant that it shows. The bytes are those of
/// [`foras_wire::peer::meeting_signed_bytes`].
#[must_use]
pub fn sign_meeting(key: &SigningKey, meeting: &[u8]) -> Signature64 {
    sign(key, meeting)
}

/// Checks that the holder of `key` signed this meeting.
///
/// # Errors
/// [`WireError::Signature`] when it did not.
pub fn verify_meeting(key: &PublicKey, meeting: &[u8], signature: &Signature64) -> Result<(), WireError> {
    verify("meeting", key, meeting, signature)
}

/// Checks that every change of a push has the author that its signer is: nobody writes as somebody else.
///
/// # Errors
/// `foreign_actor`.
pub fn check_author(author: &PublicKey, incarnation: &Incarnation, change: &ParsedChange) -> Result<(), Refusal> {
    if change.actor == Actor::of(author, incarnation) { Ok(()) } else { Err(Refusal::new("foreign_actor")) }
}

/// Signs `page` as the server; `root` is [`foras_wire::page::root`] of its entries.
pub fn sign_page(
    key: &SigningKey,
    page: &mut Page,
    root: &Digest32,
    server: &ServerId,
    epoch: u64,
    audience: &AudienceName,
) {
    page.signature = sign(key, &page.signed_bytes(server, epoch, audience, root));
}

/// Checks that the server signed exactly the entries under `root`, at this place of this audience's log.
///
/// # Errors
/// [`WireError::Signature`] when it did not.
pub fn verify_page(
    server_key: &PublicKey,
    page: &Page,
    root: &Digest32,
    server: &ServerId,
    epoch: u64,
    audience: &AudienceName,
) -> Result<(), WireError> {
    verify("page", server_key, &page.signed_bytes(server, epoch, audience, root), &page.signature)
}

/// Signs the seal of a pack's segment as the server.
pub fn sign_seal(
    key: &SigningKey,
    seal: &mut Seal,
    server: &ServerId,
    epoch: u64,
    audience: &AudienceName,
    pack: &PackId,
    segment: u32,
) {
    seal.signature = sign(key, &seal.signed_bytes(server, epoch, audience, pack, segment));
}

/// Checks that the server signed exactly this seal, of this segment of this audience's pack.
///
/// # Errors
/// [`WireError::Signature`] when it did not.
pub fn verify_seal(
    server_key: &PublicKey,
    seal: &Seal,
    server: &ServerId,
    epoch: u64,
    audience: &AudienceName,
    pack: &PackId,
    segment: u32,
) -> Result<(), WireError> {
    verify("segment", server_key, &seal.signed_bytes(server, epoch, audience, pack, segment), &seal.signature)
}

/// Signs `difference` as the server.
pub fn sign_difference(
    key: &SigningKey,
    difference: &mut Difference,
    server: &ServerId,
    epoch: u64,
    audience: &AudienceName,
) {
    difference.signature = sign(key, &difference.signed_bytes(server, epoch, audience));
}

/// Checks that the server signed exactly this difference, of this audience.
///
/// # Errors
/// [`WireError::Signature`] when it did not.
pub fn verify_difference(
    server_key: &PublicKey,
    difference: &Difference,
    server: &ServerId,
    epoch: u64,
    audience: &AudienceName,
) -> Result<(), WireError> {
    let bytes = difference.signed_bytes(server, epoch, audience);
    verify("difference", server_key, &bytes, &difference.signature)
}

/// Checks that this server once signed what the witness says.
///
/// # Errors
/// [`WireError::Signature`] when it did not.
pub fn verify_witness(server_key: &PublicKey, witness: &Witness, server: &ServerId) -> Result<(), WireError> {
    verify("page", server_key, &witness.signed_bytes(server), &witness.signature)
}

/// Signs `grant` as the server.
#[must_use]
pub fn sign_grant(key: &SigningKey, grant: &Grant) -> SignedGrant {
    let bytes = foras_wire::frame::to_cbor(grant);
    let signature = sign(key, &SignedGrant::signed_bytes(&bytes));
    SignedGrant { bytes, signature }
}

/// The grant inside, once the server's signature of it is checked.
///
/// # Errors
/// [`WireError`] when the signature or the content is not right.
pub fn verify_grant(server_key: &PublicKey, signed: &SignedGrant) -> Result<Grant, WireError> {
    verify("grant", server_key, &SignedGrant::signed_bytes(&signed.bytes), &signed.signature)?;
    signed.grant()
}

/// The device's answer to the server's challenge.
#[must_use]
pub fn sign_nonce(key: &SigningKey, device: &DeviceId, nonce: &Nonce) -> Signature64 {
    sign(key, &nonce_signed_bytes(device, nonce))
}

/// Checks the device's answer to the server's challenge.
///
/// # Errors
/// [`WireError::Signature`] when the device did not sign it.
pub fn verify_nonce(
    key: &PublicKey,
    device: &DeviceId,
    nonce: &Nonce,
    signature: &Signature64,
) -> Result<(), WireError> {
    verify("nonce", key, &nonce_signed_bytes(device, nonce), signature)
}

/// The device's proof, at enrolment, that it holds the key that it names.
#[must_use]
pub fn sign_enrolment(key: &SigningKey, secret: &[u8], incarnation: &Incarnation) -> Signature64 {
    sign(key, &EnrolRequest::signed_bytes(secret, &public_key(key), incarnation))
}

/// Checks that the device that enrols holds the key that it names.
///
/// # Errors
/// [`WireError::Signature`] when it does not.
pub fn verify_enrolment(request: &EnrolRequest) -> Result<(), WireError> {
    let bytes = EnrolRequest::signed_bytes(&request.secret, &request.key, &request.incarnation);
    verify("enrolment", &request.key, &bytes, &request.signature)
}
