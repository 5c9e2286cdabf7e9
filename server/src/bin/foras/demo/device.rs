//! One phone of the story.

use std::path::PathBuf;

use foras::Phone;
use foras_record::place::Place;
use foras_record::role::Role;
use foras_wire::id::RecordId;

use super::office::Office;
use crate::output::Failure;

/// Syncs after which a phone that still has something to say is a failure.
const SYNCS_MAX: usize = 200;

/// A phone, and what people call its owner.
#[derive(Debug)]
pub(super) struct Device {
    pub(super) name: String,
    pub(super) role: Role,
    pub(super) store: PathBuf,
    pub(super) phone: Phone,
    /// Bytes of the bodies of all its syncs.
    pub(super) bytes_up: u64,
    pub(super) bytes_down: u64,
}

impl Device {
    /// Opens a new store and enrols it with an invitation.
    pub(super) fn enrol(
        office: &Office,
        store: &str,
        name: &str,
        role: Role,
        place: Option<Place>,
        case: Option<RecordId>,
    ) -> Result<Self, Failure> {
        let invitation = office.invite(role, place, case, name)?;
        let store = office.store(store);
        let mut phone = Phone::open(&store)?;
        phone.enrol(&invitation, None)?;
        Ok(Self { name: name.to_owned(), role, store, phone, bytes_up: 0, bytes_down: 0 })
    }

    /// One sync; how many changes it sent and received.
    pub(super) fn sync(&mut self) -> Result<(u64, u64), Failure> {
        let report = self.phone.sync(None).map_err(|stopped| Failure::from(stopped.error))?;
        self.bytes_up += report.bytes_up;
        self.bytes_down += report.bytes_down;
        if report.refused > 0 {
            return Err(Failure::refused(
                "refused",
                format!("the server refused {} changes of {}", report.refused, self.name),
                "report it: the story makes only edits that are allowed",
            ));
        }
        Ok((u64::from(report.sent), u64::from(report.received)))
    }

    /// Syncs until nothing is sent or received any more; what was in all.
    pub(super) fn sync_all(&mut self) -> Result<(u64, u64), Failure> {
        let (mut sent, mut received) = (0, 0);
        for _ in 0..SYNCS_MAX {
            match self.sync()? {
                (0, 0) => return Ok((sent, received)),
                (up, down) => (sent, received) = (sent + up, received + down),
            }
        }
        Err(Failure::refused("never_quiet", format!("{} never came to rest", self.name), "report it"))
    }
}
