//! Two people meet where there is no network: their phones share over a pipe, or one hands the other a file.

use foras::Error;
use foras_tests::world::DeviceNumber;

use super::Programme;

/// Bytes after which a pipe breaks, or a file ends, at the latest.
const CUT_BYTES: usize = 8_000;
/// How a meeting may end, for this phone or for the one that tells it; anything else is a fault.
const TOLERATED: [&str; 9] = [
    "peer_gone",
    "stopped",
    "own_device",
    "grant_expired",
    "truncated",
    "revoked",
    "locked",
    "storage_full",
    "storage_failed",
];

impl Programme {
    /// Two phones share over a pipe, to the end or until a cut.
    pub(crate) fn meet(&mut self, is_cut: bool) {
        let Some((came, found)) = self.two() else { return };
        self.world.faults.count(if is_cut { "phones_meeting_cut" } else { "phones_met" });
        let troubled = self.disk_trouble(came);
        let bytes = if is_cut { self.chance.below(CUT_BYTES) } else { usize::MAX };
        let (first, second) = self.world.meet_with_cut(came, found, bytes);
        if troubled {
            self.world.phone_room(came, None);
            self.world.mend(came);
        }
        for ended in [first.map_err(|stopped| stopped.error), second.map_err(|stopped| stopped.error)] {
            tolerate(ended.map(drop));
        }
    }

    /// One phone writes what it has to a file, another reads it, perhaps not to its end.
    pub(crate) fn hand_file(&mut self) {
        let Some((from, to)) = self.two() else { return };
        self.world.faults.count("phones_handed_a_file");
        let bytes = if self.chance.percent(25) { self.chance.below(CUT_BYTES) } else { usize::MAX };
        tolerate(self.world.hand_file(from, to, bytes).map(drop));
    }

    /// Two people, more often of one place than not: others have less to share.
    fn two(&self) -> Option<(DeviceNumber, DeviceNumber)> {
        let one = self.chance.one_of(&self.cast);
        let others = |is_near: bool| {
            let near = |place| !is_near || place == one.post.place;
            let others = self.cast.iter().filter(move |other| other.number != one.number && near(other.post.place));
            others.map(|other| other.number).collect::<Vec<_>>()
        };
        let near = others(self.chance.percent(80));
        let choices = if near.is_empty() { others(false) } else { near };
        (!choices.is_empty()).then(|| (one.number, *self.chance.one_of(&choices)))
    }
}

fn tolerate(ended: Result<(), Error>) {
    let Err(error) = ended else { return };
    let code = if let Error::RefusedByPeer { code } = &error { code } else { error.code() };
    assert!(TOLERATED.contains(&code), "a meeting ends with {code}: {error}");
}
