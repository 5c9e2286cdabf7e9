//! Who this device is: its key and incarnation, the server that it belongs to, and its grant.

use std::sync::Arc;

use ed25519_dalek::SigningKey;
use foras_record::place::Place;
use foras_record::proof;
use foras_record::role::Role;
use foras_wire::audience::AudienceName;
use foras_wire::enrol::{CaseNumberBlock, EnrolAnswer, EnrolRequest};
use foras_wire::grant::{Grant, SignedGrant};
use foras_wire::id::{Actor, Incarnation, Nonce, PublicKey, ServerId};
use foras_wire::peer::{PeerProof, Side, meeting_signed_bytes};
use foras_wire::sync::{Credentials, Introduction};
use foras_wire::version::ProtocolRange;
use minicbor::{Decode, Encode};
use rusqlite::{Connection, params};

use super::lease::Contact;
use super::meta::{self, name};
use super::{Store, compare, entropy, rows};
use crate::error::Error;

const TAMPERED: Error = Error::Corrupt { set_aside: None };

/// What names the server, once and for all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub(super) struct ServerFacts {
    #[n(0)]
    pub(super) id: ServerId,
    #[n(1)]
    pub(super) key: PublicKey,
}

/// Who an enrolled device is.
#[derive(Clone)]
pub struct Identity {
    pub(super) key: SigningKey,
    pub(super) incarnation: Incarnation,
    pub(super) actor: Actor,
    pub(super) server: ServerFacts,
    pub(super) epoch: u64,
    pub(super) grant: Grant,
    pub(super) role: Role,
    pub(super) places: Vec<Place>,
}

impl std::fmt::Debug for Identity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Identity").field("actor", &self.actor).field("role", &self.role).finish_non_exhaustive()
    }
}

impl Identity {
    /// The identity that is stored, or `None` before enrolment.
    pub(super) fn load(connection: &Connection) -> Result<Option<Self>, Error> {
        let Some(signed) = meta::get_cbor::<SignedGrant>(connection, name::GRANT)? else { return Ok(None) };
        let seed = meta::get_array(connection, name::SEED)?.ok_or(TAMPERED)?;
        let incarnation = Incarnation(meta::get_array(connection, name::INCARNATION)?.ok_or(TAMPERED)?);
        let server = meta::get_cbor(connection, name::SERVER)?.ok_or(TAMPERED)?;
        let epoch = meta::get_cbor(connection, name::EPOCH)?.ok_or(TAMPERED)?;
        let grant = signed.grant().map_err(|_| TAMPERED)?;
        Self::new(SigningKey::from_bytes(&seed), incarnation, server, epoch, grant).map(Some)
    }

    fn new(
        key: SigningKey,
        incarnation: Incarnation,
        server: ServerFacts,
        epoch: u64,
        grant: Grant,
    ) -> Result<Self, Error> {
        let role = grant.role.parse().map_err(|_| Error::BadAnswer { code: "unknown_role" })?;
        let places = grant.places.iter().map(|place| place.parse()).collect::<Result<Vec<_>, _>>();
        let places = places.map_err(|_| Error::BadAnswer { code: "unknown_place" })?;
        let actor = Actor::of(&proof::public_key(&key), &incarnation);
        Ok(Self { key, incarnation, actor, server, epoch, grant, role, places })
    }

    /// The same device under another grant.
    pub(super) fn granted(&self, grant: Grant) -> Result<Self, Error> {
        Self::new(self.key.clone(), self.incarnation, self.server, self.epoch, grant)
    }

    /// The same device under another incarnation.
    pub(super) fn reborn(&self, incarnation: Incarnation) -> Self {
        let actor = Actor::of(&self.public_key(), &incarnation);
        Self { incarnation, actor, ..self.clone() }
    }

    /// The actor of this device's changes.
    #[must_use]
    pub fn actor(&self) -> Actor {
        self.actor
    }

    /// The incarnation in use.
    #[must_use]
    pub fn incarnation(&self) -> Incarnation {
        self.incarnation
    }

    /// The device's public key.
    #[must_use]
    pub fn public_key(&self) -> PublicKey {
        proof::public_key(&self.key)
    }

    /// The server's id.
    #[must_use]
    pub fn server(&self) -> ServerId {
        self.server.id
    }

    /// The server's public key, pinned at enrolment.
    #[must_use]
    pub fn server_key(&self) -> PublicKey {
        self.server.key
    }

    /// The server's epoch as the device knows it.
    #[must_use]
    pub fn epoch(&self) -> u64 {
        self.epoch
    }

    /// The grant.
    #[must_use]
    pub fn grant(&self) -> &Grant {
        &self.grant
    }

    /// The role.
    #[must_use]
    pub fn role(&self) -> Role {
        self.role
    }

    /// Where the person works.
    #[must_use]
    pub fn places(&self) -> &[Place] {
        &self.places
    }

    /// Audiences whose logs the device follows, in the order of the grant.
    #[must_use]
    pub fn audiences(&self) -> &[AudienceName] {
        &self.grant.audiences
    }
}

impl Store {
    /// What this device says of itself to a server that does not know it any more.
    pub(super) fn introduction(&self) -> Result<Option<Introduction>, Error> {
        let Some(grant) = meta::get_cbor(&self.connection, name::GRANT)? else { return Ok(None) };
        let mut statement = self.connection.prepare_cached("SELECT incarnation FROM own_incarnation ORDER BY actor")?;
        let incarnations = statement.query_map([], |row| rows::array(row, 0).map(Incarnation))?;
        let incarnations = incarnations.collect::<Result<_, _>>()?;
        Ok(Some(Introduction {
            grant,
            incarnations,
            case_numbers: meta::get_cbor(&self.connection, name::CASE_NUMBERS)?,
        }))
    }

    /// Who this device is, or `None` before enrolment.
    #[must_use]
    pub fn identity(&self) -> Option<&Identity> {
        self.identity.as_deref()
    }

    pub(super) fn enrolled(&self) -> Result<&Identity, Error> {
        self.identity.as_deref().ok_or(Error::NotEnrolled)
    }

    /// The request that enrols this device with `secret`. The key is kept, so that asking again after a lost answer
    /// names the same device.
    ///
    /// # Errors
    /// [`Error::AlreadyEnrolled`], or a failure of the storage.
    pub fn enrol_request(&mut self, secret: &[u8]) -> Result<EnrolRequest, Error> {
        if self.identity.is_some() {
            return Err(Error::AlreadyEnrolled);
        }
        let fresh = (entropy::bytes::<32>(&mut *self.entropy)?, entropy::bytes::<16>(&mut *self.entropy)?);
        let transaction = self.connection.transaction()?;
        let (seed, incarnation) = match meta::get_array::<32>(&transaction, name::SEED)? {
            Some(seed) => (seed, meta::get_array(&transaction, name::INCARNATION)?.ok_or(TAMPERED)?),
            None => fresh,
        };
        meta::put(&transaction, name::SEED, &seed)?;
        meta::put(&transaction, name::INCARNATION, &incarnation)?;
        transaction.commit()?;
        let (key, incarnation) = (SigningKey::from_bytes(&seed), Incarnation(incarnation));
        Ok(EnrolRequest {
            protocol: ProtocolRange::OURS,
            secret: secret.to_vec(),
            key: proof::public_key(&key),
            incarnation,
            signature: proof::sign_enrolment(&key, secret, &incarnation),
        })
    }

    /// Keeps the answer to [`Store::enrol_request`]. `pinned` is the server's key, where the invitation named one.
    ///
    /// # Errors
    /// [`Error::BadAnswer`] when the answer is not the pinned server's, or not for this device.
    pub fn complete_enrolment(
        &mut self,
        answer: &EnrolAnswer,
        server_url: &str,
        pinned: Option<&PublicKey>,
        now_ms: i64,
    ) -> Result<(), Error> {
        if self.identity.is_some() {
            return Err(Error::AlreadyEnrolled);
        }
        if pinned.is_some_and(|key| *key != answer.server_key) {
            return Err(Error::BadAnswer { code: "another_server" });
        }
        let seed = meta::get_array(&self.connection, name::SEED)?.ok_or(Error::NotEnrolled)?;
        let incarnation = Incarnation(meta::get_array(&self.connection, name::INCARNATION)?.ok_or(TAMPERED)?);
        let key = SigningKey::from_bytes(&seed);
        let grant = proof::verify_grant(&answer.server_key, &answer.grant)
            .map_err(|_| Error::BadAnswer { code: "bad_signature" })?;
        if grant.server != answer.server || grant.key != proof::public_key(&key) {
            return Err(Error::BadAnswer { code: "another_grant" });
        }
        let server = ServerFacts { id: answer.server, key: answer.server_key };
        let identity = Identity::new(key, incarnation, server, answer.epoch, grant)?;
        let transaction = self.connection.transaction()?;
        keep_enrolment(&transaction, answer, &server, server_url, now_ms)?;
        introduce(&transaction, &identity)?;
        transaction.commit()?;
        self.identity = Some(Arc::new(identity));
        Ok(())
    }

    /// Where the server is reached.
    ///
    /// # Errors
    /// A failure of the storage.
    pub fn server_url(&self) -> Result<Option<String>, Error> {
        let url = meta::get(&self.connection, name::SERVER_URL)?;
        url.map(|bytes| String::from_utf8(bytes).map_err(|_| TAMPERED)).transpose()
    }

    /// Changes where the server is reached.
    ///
    /// # Errors
    /// A failure of the storage.
    pub fn set_server_url(&mut self, url: &str) -> Result<(), Error> {
        meta::put(&self.connection, name::SERVER_URL, url.as_bytes())
    }

    /// What proves this device in a request. `prove`: the server's challenge, signed where the engine asks for it.
    ///
    /// # Errors
    /// [`Error::NotEnrolled`], or a failure of the storage.
    pub fn credentials(&self, prove: Option<Nonce>) -> Result<Credentials, Error> {
        let identity = self.enrolled()?;
        let token = meta::get_array(&self.connection, name::TOKEN)?.ok_or(TAMPERED)?;
        let device = identity.grant.device;
        let proof = prove.map(|nonce| (nonce, proof::sign_nonce(&identity.key, &device, &nonce)));
        Ok(Credentials { device, token, proof })
    }

    /// What proves this device to another one: its grant, and the signature of both challenges.
    ///
    /// # Errors
    /// [`Error::NotEnrolled`], or a failure of the storage.
    pub fn prove_to_peer(&self, side: Side, came: &Nonce, found: &Nonce) -> Result<PeerProof, Error> {
        let identity = self.enrolled()?;
        let grant = meta::get_cbor(&self.connection, name::GRANT)?.ok_or(TAMPERED)?;
        let bytes = meeting_signed_bytes(side, &identity.server.id, &identity.grant.device, came, found);
        Ok(PeerProof { grant, signature: proof::sign_meeting(&identity.key, &bytes) })
    }

    /// How old the token is at `now_ms`, device's clock, in milliseconds; `None` where that cannot be told, because the
    /// clock was set back since.
    ///
    /// # Errors
    /// A failure of the storage.
    pub fn token_age_ms(&self, now_ms: i64) -> Result<Option<i64>, Error> {
        let since: Option<i64> = meta::get_cbor(&self.connection, name::TOKEN_AT)?;
        Ok(since.map(|since| now_ms.saturating_sub(since)).filter(|age_ms| *age_ms >= 0))
    }

    /// The secret from which ids of imported cases derive; `None` for roles that register nobody.
    ///
    /// # Errors
    /// A failure of the storage.
    pub fn import_key(&self) -> Result<Option<[u8; 32]>, Error> {
        meta::get_array(&self.connection, name::IMPORT_KEY)
    }
}

fn keep_enrolment(
    connection: &Connection,
    answer: &EnrolAnswer,
    server: &ServerFacts,
    server_url: &str,
    now_ms: i64,
) -> Result<(), Error> {
    meta::put_cbor(connection, name::SERVER, server)?;
    meta::put(connection, name::SERVER_URL, server_url.as_bytes())?;
    meta::put_cbor(connection, name::EPOCH, &answer.epoch)?;
    meta::put(connection, name::TOKEN, &answer.token)?;
    meta::put_cbor(connection, name::TOKEN_AT, &now_ms)?;
    meta::put(connection, name::NONCE, answer.nonce.as_bytes())?;
    meta::put_cbor(connection, name::GRANT, &answer.grant)?;
    meta::put_cbor(connection, name::CONTACT, &Contact { server_ms: answer.now_ms, device_ms: now_ms })?;
    if let Some(block) = &answer.case_numbers {
        keep_case_numbers(connection, block)?;
    }
    if let Some(key) = &answer.import_key {
        meta::put(connection, name::IMPORT_KEY, key)?;
    }
    Ok(())
}

fn keep_case_numbers(connection: &Connection, block: &CaseNumberBlock) -> Result<(), Error> {
    meta::put_cbor(connection, name::CASE_NUMBERS, block)?;
    meta::put_cbor(connection, name::CASE_NUMBER_NEXT, &block.first)
}

/// Writes who this device's own actor is: its unsent work shows an author too, and its changes are known as own ones.
pub(super) fn introduce(connection: &Connection, identity: &Identity) -> Result<(), Error> {
    compare::keep_incarnation(connection, identity)?;
    let name = match identity.role {
        // As everywhere, migrants are told by their role alone.
        Role::Migrant => "",
        _ => identity.grant.name.as_deref().unwrap_or_default(),
    };
    let sql = "INSERT INTO author (actor, name, role) VALUES (?1, ?2, ?3) ON CONFLICT (actor) DO NOTHING";
    connection.prepare_cached(sql)?.execute(params![identity.actor.as_bytes(), name, identity.role.code()])?;
    Ok(())
}
