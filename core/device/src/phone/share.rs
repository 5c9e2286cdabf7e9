//! Meeting another phone, with no server: handing over what both may see, and taking it along to the server.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::io::{Read, Write};

use foras_wire::audience::AudienceName;
use foras_wire::peer::Side;

use super::Phone;
use crate::error::Error;
use crate::exchange::peer::{self, PeerReport, PeerStopped};

impl Phone {
    /// Shares over `pipe` with the phone that came to this one. Both end with what either had and both may see. Whoever
    /// opened the pipe sets how long it may be silent.
    ///
    /// # Errors
    /// As [`peer::meet`].
    pub fn share(&mut self, pipe: &mut (impl Read + Write)) -> Result<PeerReport, PeerStopped> {
        self.meet(Side::Found, pipe)
    }

    /// The same from the other end: shares over `pipe` with the phone that this one came to.
    ///
    /// # Errors
    /// As [`peer::meet`].
    pub fn receive(&mut self, pipe: &mut (impl Read + Write)) -> Result<PeerReport, PeerStopped> {
        self.meet(Side::Came, pipe)
    }

    fn meet(&mut self, side: Side, pipe: &mut (impl Read + Write)) -> Result<PeerReport, PeerStopped> {
        let clock = &self.clock;
        peer::meet(&RefCell::new(&mut self.store), side, pipe, || clock.now_ms())
    }

    /// Writes unsent work, own and others', to `file`, for somebody who holds `audiences`; empty: everything that this phone
    /// may see. Whoever holds the file can read it.
    ///
    /// # Errors
    /// As [`peer::write_file`]; [`Error::Misuse`] for an audience that this phone does not hold.
    pub fn share_to(&mut self, audiences: &[String], file: &mut impl Write) -> Result<PeerReport, Error> {
        let own = self.enrolled()?.audiences();
        let mut shared: BTreeSet<AudienceName> = BTreeSet::new();
        for name in audiences {
            let held = own.iter().find(|own| own.as_str() == name);
            shared.insert(held.ok_or(Error::Misuse("this phone holds no such audience"))?.clone());
        }
        if audiences.is_empty() {
            shared.extend(own.iter().cloned());
        }
        let now_ms = self.now_ms();
        peer::write_file(&mut self.store, &shared, file, now_ms)
    }

    /// Takes in what a file holds that another phone wrote.
    ///
    /// # Errors
    /// As [`peer::read_file`].
    pub fn receive_from(&mut self, file: &mut impl Read) -> Result<PeerReport, PeerStopped> {
        let now_ms = self.now_ms();
        peer::read_file(&mut self.store, file, now_ms)
    }
}
