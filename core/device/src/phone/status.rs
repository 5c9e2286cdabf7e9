//! How the phone stands: what is pending, what was refused, how fresh its records are.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::Value;

use super::Phone;
use super::show::instant;
use crate::error::Error;
use crate::store::FirstSync;

/// What a device was enrolled as.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Enrolled {
    /// The device, as the server knows it.
    pub device: String,
    /// The role's code.
    pub role: String,
    /// Points, or countries.
    pub places: Vec<String>,
    /// What colleagues call the person.
    pub name: Option<String>,
}

/// How far one audience was followed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AudienceStatus {
    /// Its name.
    pub audience: String,
    /// The last position applied of its log.
    pub position: u64,
    /// When the end of the log was last reached, device's clock: RFC 3339.
    pub synced_at: Option<String>,
}

/// The lease: how long stored records show without contact.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LeaseStatus {
    /// The last contact, device's clock: RFC 3339.
    pub last_contact_at: String,
    /// Seconds left; at 0 stored records hide until the next contact.
    pub left_s: i64,
}

/// An edit that the server did not admit. It is kept.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RefusedStatus {
    /// The case, or the record itself where it is about nobody.
    pub id: String,
    /// The field.
    pub field: Option<String>,
    /// What was written.
    pub value: Value,
    /// The stable code.
    pub code: String,
    /// refused or quarantined.
    pub outcome: &'static str,
}

/// A first sync under way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct FirstSyncStatus {
    /// Bytes that came.
    pub bytes: u64,
    /// Bytes in all; `None` while the server still makes them ready.
    pub bytes_total: Option<u64>,
    /// Records that came.
    pub records: u64,
    /// Records in all.
    pub records_total: u64,
    /// Seconds left at the rate of late.
    pub left_s: Option<u64>,
}

impl From<FirstSync> for FirstSyncStatus {
    fn from(first: FirstSync) -> Self {
        let FirstSync { bytes, bytes_total, records, records_total, left_s } = first;
        Self { bytes, bytes_total, records, records_total, left_s }
    }
}

/// How the phone stands.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Status {
    /// Whether it is enrolled.
    pub enrolled: bool,
    /// The role's code.
    pub role: Option<String>,
    /// Points, or countries.
    pub places: Vec<String>,
    /// Where the server is reached.
    pub server: Option<String>,
    /// Changes and deposits that wait for a sync.
    pub pending: u64,
    /// The size of those changes, in bytes.
    pub pending_bytes: u64,
    /// Since when the oldest of them waits, device's clock: RFC 3339.
    pub pending_since: Option<String>,
    /// Changes of other phones that this one takes along to the server.
    pub carried: u64,
    /// Records that hold concurrent values.
    pub conflicts: u64,
    /// Edits that the server did not admit.
    pub refused: Vec<RefusedStatus>,
    /// When each audience was last brought up to date, device's clock: RFC 3339.
    pub last_sync: BTreeMap<String, Option<String>>,
    /// The same with positions.
    pub audiences: Vec<AudienceStatus>,
    /// How far the first sync has come, while it is under way.
    pub first_sync: Option<FirstSyncStatus>,
    /// Records that came in a first sync and were not verified yet; they can be read and written.
    pub received: u64,
    /// Records that are verified.
    pub verified: u64,
    /// How long stored records show without contact.
    pub lease: Option<LeaseStatus>,
}

impl Phone {
    /// What this device is enrolled as.
    ///
    /// # Errors
    /// [`Error::NotEnrolled`].
    pub fn who(&self) -> Result<Enrolled, Error> {
        let grant = self.enrolled()?.grant();
        Ok(Enrolled {
            device: grant.device.to_string(),
            role: grant.role.clone(),
            places: grant.places.clone(),
            name: grant.name.clone(),
        })
    }

    /// How the phone stands; before enrolment too.
    ///
    /// # Errors
    /// A failure of the storage.
    pub fn status(&mut self) -> Result<Status, Error> {
        let pending = self.store.pending()?;
        let who = self.who().ok();
        let at = |ms: i64| instant(ms.div_euclid(1_000));
        let cursors = if who.is_some() { self.store.cursors()? } else { Vec::new() };
        let audiences: Vec<_> = cursors
            .into_iter()
            .map(|cursor| AudienceStatus {
                audience: cursor.audience.as_str().to_owned(),
                position: cursor.position,
                synced_at: cursor.synced_ms.map(at),
            })
            .collect();
        let refused = self.store.refused()?.into_iter().map(|edit| RefusedStatus {
            id: edit.record.case.unwrap_or(edit.record.key.id).to_string(),
            field: edit.field,
            value: edit.value,
            code: edit.code,
            outcome: edit.outcome.code(),
        });
        let now_ms = self.now_ms();
        let lease = match who {
            Some(_) => {
                let lease = self.store.lease(now_ms)?;
                Some(LeaseStatus { last_contact_at: at(lease.last_contact_ms), left_s: lease.left_s })
            }
            None => None,
        };
        let verification = self.store.verification()?;
        Ok(Status {
            first_sync: self.store.first_sync()?.map(FirstSyncStatus::from),
            received: verification.received,
            verified: verification.verified,
            enrolled: who.is_some(),
            role: who.as_ref().map(|who| who.role.clone()),
            places: who.map(|who| who.places).unwrap_or_default(),
            server: self.store.server_url()?,
            pending: pending.changes + pending.deposits,
            pending_bytes: pending.bytes,
            pending_since: pending.oldest_ms.map(at),
            carried: self.store.carried()?,
            conflicts: self.store.conflicts()?.len() as u64,
            refused: refused.collect(),
            last_sync: audiences.iter().map(|one| (one.audience.clone(), one.synced_at.clone())).collect(),
            audiences,
            lease,
        })
    }

    /// Stored records show while the lease lasts. Registering, roll call and sending go on without.
    pub(super) fn readable(&self) -> Result<(), Error> {
        self.enrolled()?;
        match self.store.lease(self.now_ms())? {
            lease if lease.left_s <= 0 => Err(Error::Locked),
            _ => Ok(()),
        }
    }
}
