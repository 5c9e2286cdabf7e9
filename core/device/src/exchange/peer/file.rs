//! The same through a file, on a card or a stick: one way, and nobody proves who hands it over. What is in it is proven by its
//! authors' signatures alone; whoever holds the file can read it.

use std::collections::BTreeSet;
use std::io::{Read, Write};

use foras_record::proof;
use foras_wire::audience::AudienceName;
use foras_wire::id::Nonce;
use foras_wire::limits::PEER_UNKNOWN_FRAMES_MAX;
use foras_wire::peer::{PeerFrame, PeerHello, PeerReader, encode_peer_frame, prefix};
use foras_wire::version::ProtocolRange;

use super::report::{PeerReport, PeerStopped};
use crate::error::Error;
use crate::store::{Handed, Kept, Store};

/// Bytes that are read at a time.
const READ_BYTES: usize = 16 * 1024;

/// Writes everything that this device can prove, the server is not known to have, and somebody may see who holds
/// `audiences`.
///
/// # Errors
/// [`Error::NotEnrolled`]; [`Error::Unreadable`] when the file cannot be written; a failure of the storage.
pub fn write_file(
    store: &mut Store,
    audiences: &BTreeSet<AudienceName>,
    file: &mut impl Write,
    now_ms: i64,
) -> Result<PeerReport, Error> {
    let identity = store.identity().ok_or(Error::NotEnrolled)?;
    if let Some(code) = store.shut_out(identity.grant(), now_ms)? {
        return Err(Error::BadPeer { code });
    }
    let (protocol, server) = (ProtocolRange::OURS, identity.server());
    let shared: BTreeSet<_> = identity.audiences().iter().filter(|own| audiences.contains(own)).cloned().collect();
    let mut report = PeerReport::default();
    let mut put = |frame: &PeerFrame| {
        let bytes = encode_peer_frame(frame);
        report.bytes_up = report.bytes_up.saturating_add(bytes.len() as u64);
        file.write_all(&bytes).map_err(|error| Error::Unreadable(error.kind()))
    };
    let audiences_of_file = shared.iter().cloned().collect();
    let nonce = Nonce(store.new_id()?.0);
    put(&PeerFrame::Hello(PeerHello { protocol, server, nonce, audiences: audiences_of_file }))?;
    let choices = store.shareable(&shared, None, now_ms)?.choices;
    let mut sent: u32 = 0;
    for parcel in store.parcels(&choices)? {
        if let Some(push) = store.push_of(&parcel, &shared, now_ms)? {
            sent = sent.saturating_add(u32::try_from(push.items.len()).unwrap_or(u32::MAX));
            put(&PeerFrame::Carried(push))?;
        }
    }
    put(&PeerFrame::Done)?;
    file.flush().map_err(|error| Error::Unreadable(error.kind()))?;
    report.sent = sent;
    Ok(report)
}

/// Takes in what a file holds.
///
/// # Errors
/// [`PeerStopped`] with the reason and what was taken before: [`Error::BadPeer`] for what is no such file, of another server,
/// or cut short. What was kept stays; reading again goes on from there.
pub fn read_file(store: &mut Store, file: &mut impl Read, now_ms: i64) -> Result<PeerReport, PeerStopped> {
    let mut report = PeerReport::default();
    match take_file(store, file, now_ms, &mut report) {
        Ok(()) => Ok(report),
        Err(error) => Err(PeerStopped::of(error, report)),
    }
}

fn take_file(store: &mut Store, file: &mut impl Read, now_ms: i64, report: &mut PeerReport) -> Result<(), Error> {
    let mut frames = Frames { reader: PeerReader::default(), file, report };
    let identity = store.identity().ok_or(Error::NotEnrolled)?;
    let (server, own) = (identity.server(), identity.audiences().to_vec());
    let handed = match frames.next()? {
        Some(PeerFrame::Hello(hello)) => {
            ProtocolRange::OURS.newest_common(hello.protocol).map_err(|error| bad(error.code()))?;
            if hello.server != server {
                return Err(bad("another_server"));
            }
            let is_for_us = !hello.audiences.is_empty() && hello.audiences.iter().all(|name| own.contains(name));
            if is_for_us { Handed::ForThisDevice } else { Handed::ForOthers }
        }
        _ => return Err(bad("not_shared")),
    };
    // From here on longer frames are read: a file is as long as it is, and each frame is bounded.
    frames.reader.trust();
    let mut unknown_frames = 0;
    loop {
        match frames.next()?.ok_or(bad("truncated"))? {
            PeerFrame::Carried(push) => {
                let hashes = proof::carried_hashes(&push).map_err(|error| bad(error.code()))?;
                let keys = push.items.iter().map(|item| item.record.key);
                let new = keys.zip(&hashes).map(|(key, hash)| store.lacks_change(&key, &prefix(hash)));
                let new = new.collect::<Result<Vec<_>, _>>()?;
                let kept =
                    if new.contains(&true) { store.keep_carried(&push, handed, now_ms)? } else { vec![Kept::Known] };
                frames.report.note_kept(&kept);
            }
            PeerFrame::Done => return Ok(()),
            PeerFrame::Unknown(_) if unknown_frames < PEER_UNKNOWN_FRAMES_MAX => unknown_frames += 1,
            _ => return Err(bad("out_of_turn")),
        }
    }
}

/// Frames of a file, one after the other.
struct Frames<'a, F> {
    reader: PeerReader,
    file: &'a mut F,
    report: &'a mut PeerReport,
}

impl<F: Read> Frames<'_, F> {
    /// The next frame; `None` at the end of the file.
    fn next(&mut self) -> Result<Option<PeerFrame>, Error> {
        let mut buffer = vec![0; READ_BYTES];
        loop {
            if let Some(frame) = self.reader.next_frame().map_err(|error| bad(error.code()))? {
                return Ok(Some(frame));
            }
            match self.file.read(&mut buffer) {
                Ok(0) if self.reader.is_cut() => return Err(bad("truncated")),
                Ok(0) => return Ok(None),
                Ok(count) => {
                    self.report.bytes_down = self.report.bytes_down.saturating_add(count as u64);
                    self.reader.feed(buffer.get(..count).unwrap_or_default());
                }
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                Err(error) => return Err(Error::Unreadable(error.kind())),
            }
        }
    }
}

fn bad(code: &'static str) -> Error {
    Error::BadPeer { code }
}
