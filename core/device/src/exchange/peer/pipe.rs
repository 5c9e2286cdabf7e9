//! A meeting over a pipe: a connection, a radio link, a pair of queues. Whoever opens the pipe sets how long it may be silent.

use std::io::{self, Read, Write};

use foras_wire::peer::Side;

use super::meeting::{Meeting, MeetingStep};
use super::report::{PeerReport, PeerStopped};
use crate::error::Error;
use crate::exchange::Lend;

/// Bytes that are read at a time.
const READ_BYTES: usize = 16 * 1024;

/// Meets whoever is at the other end of `pipe`. `now` is the device's clock in milliseconds since 1970. The store is lent for
/// one step at a time.
///
/// # Errors
/// [`PeerStopped`] with the reason and what was done before: [`Error::PeerGone`] when the pipe ended or fell silent,
/// [`Error::RefusedByPeer`] when the other side ended the meeting, [`Error::BadPeer`] when it could not be trusted. What was kept
/// stays; meeting again goes on from there.
pub fn meet(
    store: &impl Lend,
    side: Side,
    pipe: &mut (impl Read + Write),
    now: impl Fn() -> i64,
) -> Result<PeerReport, PeerStopped> {
    let mut meeting = Meeting::new(side);
    let mut buffer = vec![0; READ_BYTES];
    loop {
        match store.lend(|store| meeting.step(store, now())) {
            MeetingStep::Inward => {}
            MeetingStep::Write(bytes) => {
                if pipe.write_all(&bytes).and_then(|()| pipe.flush()).is_err() {
                    return Err(meeting.ended(Error::PeerGone));
                }
            }
            MeetingStep::Rest => match pipe.read(&mut buffer) {
                Ok(0) => return Err(meeting.ended(Error::PeerGone)),
                Ok(count) => meeting.received(buffer.get(..count).unwrap_or_default()),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(_) => return Err(meeting.ended(Error::PeerGone)),
            },
            MeetingStep::Finished(report) => return Ok(report),
            MeetingStep::Stopped(stopped) => {
                // The other side is told, if it still listens.
                let _ = pipe.write_all(&Meeting::parting(&stopped.error)).and_then(|()| pipe.flush());
                return Err(stopped);
            }
        }
    }
}
