//! The server as a library: synchronous, without a clock or randomness of its own. HTTP is a thin layer above it.

use std::fs::File;
use std::path::Path;
use std::sync::{Arc, Mutex};

use foras_record::indicator::Facts;
use foras_wire::id::{DeviceId, PublicKey, RecordId, ServerId};
use foras_wire::sync::{Credentials, Refusal};
use rusqlite::Connection;

use crate::access;
use crate::enrol::{self, Invite, Invited, Throttle};
use crate::entropy::{Entropy, OsEntropy, draw};
use crate::error::ServerError;
use crate::exchange::{self, Sink, Turns};
use crate::folder::Folder;
use crate::intake::{Histories, Intake};
use crate::keys::Keys;
use crate::packs::{PackSizes, Workshop};
use crate::programme;
use crate::ready::ReadyPages;
use crate::storage::{Database, authors, case_facts, digests, facts, locked, settings};
use crate::wakes::{Wait, Wakes};

/// A server on its data folder.
///
/// `open` claims the folder; `attach` works beside a running server, as the command line does.
#[derive(Debug)]
pub struct Server {
    pub(crate) db: Database,
    pub(crate) keys: Keys,
    histories: Mutex<Histories>,
    /// Pages that many devices get alike.
    pub(crate) ready: ReadyPages,
    throttle: Mutex<Throttle>,
    pub(crate) wakes: Arc<Wakes>,
    pub(crate) workshop: Workshop,
    _claim: Option<File>,
}

impl Server {
    /// Opens the data folder `dir` to serve it, and makes it if there is none.
    ///
    /// # Errors
    /// [`ServerError`]: `in_use`, `not_a_folder`, `too_old`, `corrupt`, or a failing disk.
    pub fn open(dir: &Path) -> Result<Self, ServerError> {
        Self::open_with(dir, crate::clock::now_ms(), &mut OsEntropy)
    }

    /// As [`Server::open`], with the clock and the randomness passed in.
    ///
    /// # Errors
    /// As [`Server::open`].
    pub fn open_with(dir: &Path, now_ms: i64, entropy: &mut dyn Entropy) -> Result<Self, ServerError> {
        let folder = Folder::make(dir)?;
        let claim = folder.lock()?;
        let (server, key) = folder.identity(entropy)?;
        let db = Database::open(&folder.database())?;
        Self::start(db, server, key, Some(claim), now_ms)
    }

    /// Opens the data folder `dir` beside the server that may be running on it, to invite, list and revoke devices and
    /// to count figures.
    ///
    /// # Errors
    /// [`ServerError`]: `no_data_folder`, `not_a_folder`, `too_old`, `corrupt`, or a failing disk.
    pub fn attach(dir: &Path) -> Result<Self, ServerError> {
        let folder = Folder::existing(dir)?;
        let (server, key) = folder.identity(&mut OsEntropy)?;
        let db = Database::open(&folder.database())?;
        Self::with(db, server, key, None)
    }

    /// A server that is gone when dropped, for tests and the simulated world.
    ///
    /// # Errors
    /// [`ServerError`] when there is no memory or randomness.
    pub fn open_in_memory(now_ms: i64, entropy: &mut dyn Entropy) -> Result<Self, ServerError> {
        let (server, seed) = (ServerId(draw(entropy)?), draw::<32>(entropy)?);
        let db = Database::in_memory()?;
        Self::start(db, server, ed25519_dalek::SigningKey::from_bytes(&seed), None, now_ms)
    }

    fn start(
        db: Database,
        server: ServerId,
        key: ed25519_dalek::SigningKey,
        claim: Option<File>,
        now_ms: i64,
    ) -> Result<Self, ServerError> {
        let server = Self { _claim: claim, ..Self::with(db, server, key, None)? };
        programme::begin(&server, now_ms)?;
        Ok(server)
    }

    fn with(
        db: Database,
        server: ServerId,
        key: ed25519_dalek::SigningKey,
        claim: Option<File>,
    ) -> Result<Self, ServerError> {
        let name = server.to_string();
        let epoch = db.write(|db| {
            match settings::get(db, settings::SERVER)? {
                None => {
                    settings::set(db, settings::SERVER, Some(&name))?;
                    settings::set(db, settings::EPOCH, Some("1"))?;
                }
                Some(known) if known == name => {}
                Some(_) => return Err(ServerError::Corrupt("foras.db belongs to another server.key")),
            }
            digests::begin(db)?;
            let epoch = settings::get(db, settings::EPOCH)?.and_then(|epoch| epoch.parse().ok());
            epoch.ok_or(ServerError::Corrupt("the epoch does not read"))
        })?;
        Ok(Self {
            db,
            keys: Keys::new(server, key, epoch),
            histories: Mutex::default(),
            ready: ReadyPages::default(),
            throttle: Mutex::new(Throttle::new()),
            wakes: Arc::default(),
            workshop: Workshop::default(),
            _claim: claim,
        })
    }

    /// The server's id.
    #[must_use]
    pub fn id(&self) -> ServerId {
        self.keys.server
    }

    /// The server's public key.
    #[must_use]
    pub fn public_key(&self) -> PublicKey {
        self.keys.public()
    }

    /// Loaded records may be of a database that is not there any more.
    pub(crate) fn forget_histories(&self) {
        *locked(&self.histories) = Histories::default();
    }

    /// The server's epoch: counts the times that it was put back to an older copy of its data, from 1.
    #[must_use]
    pub fn epoch(&self) -> u64 {
        self.keys.epoch()
    }

    /// Notes where the running server is reached; what invitations name is `public_url`, where given.
    ///
    /// # Errors
    /// [`ServerError`] when the database fails.
    pub fn set_address(&self, address: &str, public_url: Option<&str>) -> Result<(), ServerError> {
        let trimmed = public_url.map(|url| url.trim_end_matches('/'));
        self.db.write(|db| {
            settings::set(db, settings::ADDRESS, Some(address))?;
            settings::set(db, settings::PUBLIC_URL, trimmed)
        })
    }

    /// Makes an invitation: single use, for a day; its code for 15 minutes.
    ///
    /// # Errors
    /// [`ServerError`]: `misuse` when role, places and case do not go together, `no_address`, or a failing database.
    pub fn invite(&self, invite: &Invite, now_ms: i64, entropy: &mut dyn Entropy) -> Result<Invited, ServerError> {
        self.db.write(|db| enrol::invite(db, &self.keys, invite, now_ms, entropy))
    }

    /// The case of this id or case number, if the server has it.
    ///
    /// # Errors
    /// `not_found`, or a failing database.
    pub fn find_case(&self, named: &str) -> Result<RecordId, ServerError> {
        let found = self.db.read(|db| case_facts::find(db, named))?;
        found.ok_or(ServerError::NotFound("case"))
    }

    /// Answers the body of `POST /v1/enrol`: the CBOR of an `EnrolAnswer`.
    ///
    /// # Errors
    /// The refusal, to be sent as CBOR.
    pub fn enrol(&self, body: &[u8], now_ms: i64, entropy: &mut dyn Entropy) -> Result<Vec<u8>, Refusal> {
        enrol::enrol(&self.db, &self.keys, &self.throttle, body, now_ms, entropy)
    }

    /// Whether these credentials would let a device in. Changes nothing.
    #[must_use]
    pub fn recognises(&self, credentials: &Credentials, now_ms: i64) -> bool {
        access::recognises(&self.db, &self.keys, credentials, now_ms).unwrap_or(false)
    }

    /// Answers the body of `POST /v1/sync`, frame by frame. `sink` returns false when nobody receives any more.
    pub fn exchange(
        &self,
        credentials: Option<&Credentials>,
        body: &[u8],
        now_ms: i64,
        entropy: &mut dyn Entropy,
        sink: &mut Sink<'_>,
    ) {
        exchange::exchange(self, credentials, body, now_ms, entropy, &mut |_, _| None, sink);
    }

    /// As [`Server::exchange`]; a catch-up of so many entries is put off when `turns` says so.
    pub fn exchange_in_turn(
        &self,
        credentials: Option<&Credentials>,
        body: &[u8],
        now_ms: i64,
        entropy: &mut dyn Entropy,
        turns: &mut Turns<'_>,
        sink: &mut Sink<'_>,
    ) {
        exchange::exchange(self, credentials, body, now_ms, entropy, turns, sink);
    }

    /// Begins to wait for news, and for how many seconds, when the request allows it and there is nothing to say now.
    /// Changes nothing; the request is answered afterwards as any other.
    pub(crate) fn wait(&self, credentials: &Credentials, body: &[u8], now_ms: i64) -> Option<(Wait, u16)> {
        match exchange::hold::wait(self, credentials, body, now_ms) {
            Ok(wait) => wait,
            Err(error) => {
                // It is answered at once then, with whatever is wrong.
                tracing::warn!(code = error.code(), "a request could not be held back");
                None
            }
        }
    }

    /// The device asks anew: what it waited for before is answered to nobody.
    pub(crate) fn asks_anew(&self, device: &DeviceId) {
        self.wakes.asks_anew(device);
    }

    /// How many devices wait for news.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.wakes.waiting()
    }

    /// Wakes whoever waits for what another process wrote. To be called every second or so while somebody waits.
    ///
    /// # Errors
    /// A failing database.
    pub(crate) fn look_for_news(&self) -> Result<(), ServerError> {
        if !self.db.was_written_elsewhere()? {
            return Ok(());
        }
        self.db.read(|db| self.wakes.look(db))
    }

    /// Runs `work` over the records in one transaction; what it did is durable when this returns `Ok`.
    pub(crate) fn record<T>(
        &self,
        now_ms: i64,
        work: impl FnOnce(&mut Intake<'_>) -> Result<T, ServerError>,
    ) -> Result<T, ServerError> {
        let mut histories = locked(&self.histories);
        let (done, finished) = self.db.write(|db: &rusqlite::Transaction<'_>| {
            let db: &Connection = db;
            let mut intake = Intake::begin(db, &self.keys, &mut histories, now_ms)?;
            let done = work(&mut intake)?;
            Ok::<_, ServerError>((done, intake.finish()?))
        })?;
        histories.keep(finished.changed);
        self.wakes.grew(finished.grown.iter().map(String::as_str));
        Ok(done)
    }

    /// When new phones get packs instead of pages, and how packs are cut, from now on.
    pub fn set_pack_sizes(&self, sizes: PackSizes) {
        self.workshop.set_sizes(sizes);
    }

    /// Whether the database answers: what `/readyz` tells.
    ///
    /// # Errors
    /// [`ServerError`] when it does not.
    pub fn ready(&self) -> Result<(), ServerError> {
        self.db.read(|db| settings::get(db, settings::EPOCH).map(drop))
    }

    /// Revokes a device, so that its next request is refused.
    ///
    /// # Errors
    /// `not_found`, or a failing database.
    pub fn revoke(&self, device: &DeviceId, why: crate::devices::Revocation) -> Result<(), ServerError> {
        self.db.write(|db| crate::devices::revoke(db, device, why))?;
        self.wakes.concerns(*device);
        Ok(())
    }

    /// What the programme's figures are counted from, as of now. May be asked beside a running server.
    ///
    /// # Errors
    /// A failing database.
    pub fn facts(&self) -> Result<Facts, ServerError> {
        self.db.read(facts::all)
    }

    /// What somebody who runs the server should look at: device, stable code, and when in milliseconds since 1970; the
    /// newest first.
    ///
    /// # Errors
    /// A failing database.
    pub fn alerts(&self) -> Result<Vec<(DeviceId, String, i64)>, ServerError> {
        self.db.read(authors::alerts)
    }

    /// Every device, the first enrolled first.
    ///
    /// # Errors
    /// A failing database.
    pub fn devices(&self) -> Result<Vec<crate::devices::EnrolledDevice>, ServerError> {
        self.db.read(crate::devices::list)
    }
}
