//! An orientation point in one process: a server and its phones, each in a folder that the test chooses, with nothing
//! between them that could fail. What fails is the test's to say: a disk, a kill, a hostile byte.

use std::collections::BTreeSet;
use std::path::Path;

use foras::Error;
use foras::exchange::{Courier, Outward, Step, Stopped, SyncReport};
use foras::phone::{Phone, Registration, Setting};
use foras::store::Store;
use foras_record::place::Place;
use foras_record::role::Role;
use foras_server::{Invite, Server, ServerError};
use foras_sync::Event;
use foras_sync::engine::Config;
use foras_wire::frame::{from_cbor, to_cbor};
use foras_wire::invitation::Invitation;

use crate::world::chance::Chance;
use crate::world::clock::{TrueTime, WrongClock};
use crate::world::network::{Request, answer};

/// When the point opens: 1 October 2026, in milliseconds since 1970.
const BEGINNING_MS: i64 = 1_790_812_800_000;

/// A server and what its phones share: the time and chance.
#[derive(Debug)]
pub struct Point {
    /// The server.
    pub server: Server,
    /// What everything random comes from.
    pub chance: Chance,
    /// What time it is.
    pub truth: TrueTime,
}

impl Point {
    /// Opens the server in `folder`, new or as it lies there.
    ///
    /// # Errors
    /// What the server says of its folder.
    pub fn open(folder: &Path, seed: u64) -> Result<Self, ServerError> {
        let (chance, truth) = (Chance::new(seed), TrueTime::new(BEGINNING_MS));
        let server = Server::open_with(folder, truth.now_ms(), &mut chance.clone())?;
        server.set_address("http://point.invalid", None)?;
        Ok(Self { server, chance, truth })
    }

    /// A server that is gone when dropped.
    ///
    /// # Panics
    /// When there is no memory.
    #[must_use]
    pub fn in_memory(seed: u64) -> Self {
        let (chance, truth) = (Chance::new(seed), TrueTime::new(BEGINNING_MS));
        let server = Server::open_in_memory(truth.now_ms(), &mut chance.clone()).expect("a server");
        server.set_address("http://point.invalid", None).expect("an address");
        Self { server, chance, truth }
    }

    /// The app over the store in `folder`.
    ///
    /// # Errors
    /// What the store says of its folder.
    pub fn phone(&self, folder: &Path) -> Result<Phone, Error> {
        let clock = WrongClock::new(self.truth.clone());
        Phone::open_with(folder, Box::new(self.chance.clone()), Box::new(clock))
    }

    /// A phone that is gone when dropped.
    ///
    /// # Panics
    /// When there is no memory.
    #[must_use]
    pub fn phone_in_memory(&self) -> Phone {
        let store = Store::open_in_memory(Box::new(self.chance.clone())).expect("a store");
        Phone::over(store, Box::new(WrongClock::new(self.truth.clone())))
    }

    /// A text that invites somebody of `places`.
    ///
    /// # Panics
    /// When the server does not invite.
    #[must_use]
    pub fn invite(&self, role: Role, places: &[&str]) -> Invitation {
        let places: BTreeSet<Place> = places.iter().map(|place| place.parse().expect("a place")).collect();
        let invite = Invite { role, places, case: None, name: Some("a colleague".to_owned()) };
        let invited = self.server.invite(&invite, self.truth.now_ms(), &mut self.chance.clone());
        invited.expect("an invitation").invitation.parse().expect("an invitation that reads")
    }

    /// Enrols a phone that was opened. The same phone may come again with the same invitation.
    ///
    /// # Errors
    /// What the phone's store says.
    ///
    /// # Panics
    /// When the server does not let it in.
    pub fn enrol(&self, phone: &mut Phone, invitation: &Invitation) -> Result<(), Error> {
        self.enrol_with_bytes(phone, invitation).map(drop)
    }

    /// As [`Point::enrol`]; gives the request and the answer as they travelled.
    pub(crate) fn enrol_with_bytes(
        &self,
        phone: &mut Phone,
        invitation: &Invitation,
    ) -> Result<(Vec<u8>, Vec<u8>), Error> {
        let now_ms = self.truth.now_ms();
        let request = to_cbor(&phone.store_mut().enrol_request(&invitation.secret)?);
        let answered = self.server.enrol(&request, now_ms, &mut self.chance.clone()).expect("an enrolment");
        let answer = from_cbor("enrolment", &answered).expect("an answer that reads");
        let (url, key) = (&invitation.server_url, &invitation.server_key);
        phone.store_mut().complete_enrolment(&answer, url, Some(key), now_ms)?;
        Ok((request, answered))
    }

    /// Opens a phone in `folder` and enrols it.
    ///
    /// # Panics
    /// When either fails.
    #[must_use]
    pub fn enrolled(&self, folder: &Path, role: Role, places: &[&str]) -> Phone {
        let mut phone = self.phone(folder).expect("a phone");
        self.enrol(&mut phone, &self.invite(role, places)).expect("an enrolled phone");
        phone
    }

    /// One sync, to its end.
    ///
    /// # Errors
    /// What stopped it.
    pub fn sync(&self, phone: &mut Phone) -> Result<SyncReport, Stopped> {
        let mut courier = Courier::new(Config::default());
        courier.tell(Event::SyncRequested, self.truth.now_ms(), self.chance.number());
        let mut waiting: Option<Vec<u8>> = None;
        loop {
            let (now_ms, entropy) = (self.truth.now_ms(), self.chance.number());
            match courier.step(phone.store_mut(), now_ms, entropy) {
                Step::Inward | Step::Outward(Outward::SetTimer { .. }) => {}
                Step::Outward(Outward::Send { credentials, body, .. }) => {
                    let request = Request { credentials: *credentials, body };
                    waiting = Some(answer(&self.server, &request, now_ms, &self.chance));
                }
                Step::Outward(Outward::Finished(report)) => return Ok(report),
                Step::Outward(Outward::Stopped(stopped)) => return Err(stopped),
                Step::Rest => match waiting.take() {
                    Some(bytes) if !bytes.is_empty() => {
                        courier.received(&bytes);
                        waiting = Some(Vec::new());
                    }
                    _ => courier.tell(Event::AnswerEnded, now_ms, entropy),
                },
            }
        }
    }
}

/// A registration in Oujda of somebody who speaks Pulaar.
#[must_use]
pub fn registration(name: &str) -> Registration {
    let settings = [
        ("name", name),
        ("sex", "f"),
        ("birth_year", "1996"),
        ("nationality", "GN"),
        ("country", "GN"),
        ("point", "oujda"),
        ("languages", "ff"),
        ("registered_on", "2026-10-01"),
    ];
    Registration {
        settings: settings.into_iter().map(|(field, value)| Setting::new(field, value)).collect(),
        consents: vec![("assist".to_owned(), "oral".to_owned())],
        basis: None,
    }
}
