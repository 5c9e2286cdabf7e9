//! Two phones meet with no server: bytes go from one to the other, until a cut; or one writes a file, and the other reads it.

use foras::Error;
use foras::exchange::peer::{Meeting, MeetingStep, PeerReport, PeerStopped};
use foras_wire::peer::Side;

use super::{DeviceNumber, World};

/// How a meeting ended for one of the two.
pub type Ended = Result<PeerReport, PeerStopped>;

/// One of the two, and how it ended.
struct Party {
    number: DeviceNumber,
    meeting: Meeting,
    ended: Option<Ended>,
}

impl World {
    /// `came` connects to `found`; both take turns to the end.
    pub fn meet(&mut self, came: DeviceNumber, found: DeviceNumber) -> (Ended, Ended) {
        self.meet_with_cut(came, found, usize::MAX)
    }

    /// As [`World::meet`], but the pipe breaks once so many bytes went through it.
    pub fn meet_with_cut(&mut self, came: DeviceNumber, found: DeviceNumber, bytes: usize) -> (Ended, Ended) {
        let party = |number, side| Party { number, meeting: Meeting::new(side), ended: None };
        let (mut came, mut found) = (party(came, Side::Came), party(found, Side::Found));
        let mut left = bytes;
        loop {
            let to_found = self.turn(&mut came, &mut left);
            found.meeting.received(&to_found);
            let to_came = self.turn(&mut found, &mut left);
            came.meeting.received(&to_came);
            if to_found.is_empty() && to_came.is_empty() {
                let end = |party: &mut Party| {
                    let cut = || Err(party.meeting.ended(Error::PeerGone));
                    party.ended.take().unwrap_or_else(cut)
                };
                return (end(&mut came), end(&mut found));
            }
        }
    }

    /// `from` writes what it could hand over to a file; `to` reads the first `bytes` of it.
    ///
    /// # Errors
    /// What stopped either of them.
    pub fn hand_file(&mut self, from: DeviceNumber, to: DeviceNumber, bytes: usize) -> Result<PeerReport, Error> {
        let mut file = Vec::new();
        self.phone(from).share_to(&[], &mut file)?;
        file.truncate(bytes);
        self.phone(to).receive_from(&mut file.as_slice()).map_err(|stopped| stopped.error)
    }

    /// Everything that one says until it waits, as far as it goes through.
    fn turn(&mut self, party: &mut Party, left: &mut usize) -> Vec<u8> {
        let mut said = Vec::new();
        while party.ended.is_none() {
            let phone = self.phone(party.number);
            let now_ms = phone.now_ms();
            match party.meeting.step(phone.store_mut(), now_ms) {
                MeetingStep::Inward => {}
                MeetingStep::Write(bytes) => {
                    let through = bytes.len().min(*left);
                    *left -= through;
                    said.extend_from_slice(&bytes[..through]);
                }
                MeetingStep::Rest => break,
                MeetingStep::Finished(report) => party.ended = Some(Ok(report)),
                MeetingStep::Stopped(stopped) => {
                    said.extend_from_slice(&Meeting::parting(&stopped.error));
                    party.ended = Some(Err(stopped));
                }
            }
        }
        said
    }
}
