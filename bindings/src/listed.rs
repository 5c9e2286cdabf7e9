//! Lists in pages, the phone's standing, and what a sync did.

use foras::phone;

/// Which people.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct Query {
    /// Only those of this orientation point.
    #[uniffi(default = None)]
    pub point: Option<String>,
    /// Only those whose names, phones or numbers begin with these words.
    #[uniffi(default = None)]
    pub search: Option<String>,
    /// Which page, from 1.
    #[uniffi(default = 1)]
    pub page: u32,
}

/// One person of a list.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct PersonRow {
    /// The case.
    pub id: String,
    /// Its number, where this phone may see it.
    pub case_number: Option<String>,
    /// The name.
    pub name: String,
    /// The orientation point.
    pub point: Option<String>,
    /// Fields with concurrent values.
    pub conflicts: u32,
    /// How far it came: saved, sending, server, seen, refused or awaiting.
    pub delivery: String,
}

/// One page of people.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct PeoplePage {
    /// The people of this page.
    pub items: Vec<PersonRow>,
    /// This page, from 1.
    pub page: u32,
    /// Pages in all; 1 where there is nobody.
    pub pages: u32,
    /// People in all.
    pub total: u64,
}

/// How the phone stands.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
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
    /// Since when the oldest of them waits, by this phone's clock: RFC 3339.
    pub pending_since: Option<String>,
    /// Records that hold concurrent values.
    pub conflicts: u64,
    /// Edits that the server did not admit; they are kept.
    pub refused: u64,
    /// How fresh each audience is.
    pub audiences: Vec<AudienceStatus>,
    /// Seconds until stored records hide for want of contact.
    pub lease_left_s: Option<i64>,
    /// How far the first sync has come, while it is under way.
    pub first_sync: Option<FirstSync>,
}

/// A first sync under way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, uniffi::Record)]
pub struct FirstSync {
    /// Bytes that came.
    pub bytes: u64,
    /// Bytes in all, once the server knows.
    pub bytes_total: Option<u64>,
    /// Records that came.
    pub records: u64,
    /// Records in all.
    pub records_total: u64,
    /// Seconds left at the rate of late.
    pub left_s: Option<u64>,
}

impl From<phone::FirstSyncStatus> for FirstSync {
    fn from(first: phone::FirstSyncStatus) -> Self {
        let phone::FirstSyncStatus { bytes, bytes_total, records, records_total, left_s } = first;
        Self { bytes, bytes_total, records, records_total, left_s }
    }
}

/// How far one audience was followed.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct AudienceStatus {
    /// Its name.
    pub audience: String,
    /// When it was last caught up with, by this phone's clock: RFC 3339.
    pub synced_at: Option<String>,
}

/// What one sync did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, uniffi::Record)]
pub struct SyncReport {
    /// Changes and deposits that the server keeps now.
    pub sent: u32,
    /// Changes that were new to this phone.
    pub received: u32,
    /// Changes and deposits that wait for the next sync.
    pub pending: u64,
    /// Changes and deposits that the server refused.
    pub refused: u32,
    /// Bytes of request bodies.
    pub bytes_up: u64,
    /// Bytes of answer bodies.
    pub bytes_down: u64,
    /// Requests sent.
    pub round_trips: u32,
}

impl From<Query> for phone::Filter {
    fn from(query: Query) -> Self {
        Self { point: query.point, search: query.search, page: query.page }
    }
}

impl From<phone::Listing<phone::Row>> for PeoplePage {
    fn from(listing: phone::Listing<phone::Row>) -> Self {
        let items = listing.items.into_iter().map(|row| PersonRow {
            id: row.id,
            case_number: row.case_number,
            name: row.title,
            point: row.point,
            conflicts: row.conflicts,
            delivery: row.delivery.to_owned(),
        });
        Self { items: items.collect(), page: listing.page, pages: listing.pages, total: listing.total }
    }
}

impl From<phone::Status> for Status {
    fn from(status: phone::Status) -> Self {
        let audiences = status.audiences.into_iter();
        Self {
            enrolled: status.enrolled,
            role: status.role,
            places: status.places,
            server: status.server,
            pending: status.pending,
            pending_bytes: status.pending_bytes,
            pending_since: status.pending_since,
            conflicts: status.conflicts,
            refused: status.refused.len() as u64,
            audiences: audiences
                .map(|one| AudienceStatus { audience: one.audience, synced_at: one.synced_at })
                .collect(),
            first_sync: status.first_sync.map(FirstSync::from),
            lease_left_s: status.lease.map(|lease| lease.left_s),
        }
    }
}

impl From<foras::exchange::SyncReport> for SyncReport {
    fn from(report: foras::exchange::SyncReport) -> Self {
        Self {
            sent: report.sent,
            received: report.received,
            pending: report.pending,
            refused: report.refused,
            bytes_up: report.bytes_up,
            bytes_down: report.bytes_down,
            round_trips: report.round_trips,
        }
    }
}
