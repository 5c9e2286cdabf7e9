//! The one error that leaves this crate: a stable code, whether a retry helps, and what to do.
//!
//! No message names a person, a value or a secret.

use std::path::PathBuf;

/// What may go wrong on a device.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The server is not reached.
    #[error("the server cannot be reached")]
    Offline,
    /// The device has no grant yet.
    #[error("this device is not enrolled")]
    NotEnrolled,
    /// The device is enrolled already.
    #[error("this device is enrolled already")]
    AlreadyEnrolled,
    /// The server ended the device's grant.
    #[error("this device was revoked")]
    Revoked,
    /// The lease is spent: stored records are hidden until the next contact.
    #[error("the device was too long without contact; stored records are hidden")]
    Locked,
    /// The disk is full; nothing was changed.
    #[error("the storage is full; nothing was changed")]
    StorageFull,
    /// Reading or writing failed; nothing was changed.
    #[error("the storage failed; nothing was changed")]
    StorageFailed,
    /// The store was written by a newer build; it was left untouched.
    #[error("the store is of version {found}; this build knows versions up to {known}")]
    TooOld {
        /// Version of the store.
        found: u32,
        /// Newest version that this build knows.
        known: u32,
    },
    /// What lies where the store should be is no store; it was left untouched.
    #[error("what lies there is not a store")]
    NotAStore,
    /// The server has too much to do.
    #[error("the server is busy")]
    ServerBusy {
        /// Seconds to wait; 0 where the device decides.
        retry_after_s: u32,
    },
    /// Refused as a whole, by the server or by a rule, with its stable code.
    #[error("refused: {code}")]
    Refused {
        /// The stable code of the refusal.
        code: String,
    },
    /// The database is damaged. Where a path is named, it was set aside there, and the next opening starts anew.
    #[error("the store is damaged")]
    Corrupt {
        /// Where the damaged database is now.
        set_aside: Option<PathBuf>,
    },
    /// The call or command cannot mean anything.
    #[error("{0}")]
    Misuse(&'static str),
    /// This device holds no such record.
    #[error("this device holds no such record")]
    NotFound,
    /// The grant does not allow it; nothing was written.
    #[error("not allowed: {code}")]
    NotAllowed {
        /// Which rule forbids it.
        code: &'static str,
        /// The field, where one is meant.
        field: Option<&'static str>,
    },
    /// No address is known under which the server can be reached.
    #[error("no address of the server is known")]
    NoAddress,
    /// A value that its field cannot take; nothing was written.
    #[error("a value is invalid: {code}")]
    InvalidValue {
        /// Which rule the value breaks.
        code: &'static str,
        /// The field, where one is meant.
        field: Option<&'static str>,
    },
    /// Another process has the store open.
    #[error("another process uses this store")]
    InUse,
    /// The block of case numbers is used up.
    #[error("no case number is left on this device")]
    NoCaseNumber,
    /// No proposal of a handover is known that could be answered.
    #[error("no handover is proposed that this device could answer")]
    NotProposed,
    /// A file to import or apply cannot be read further.
    #[error("the file cannot be read: {0}")]
    Unreadable(std::io::ErrorKind),
    /// The server's logs end before what this device already has from them: an older copy of its data serves.
    #[error("the server has lost what this device has from it")]
    ServerWentBack,
    /// The other phone went away, or fell silent.
    #[error("the other phone went away")]
    PeerGone,
    /// The other phone, or the file that it wrote, is not dealt with.
    #[error("the other phone, or its file, is not dealt with: {code}")]
    BadPeer {
        /// Why.
        code: &'static str,
    },
    /// The other phone ended the meeting.
    #[error("the other phone ended the meeting: {code}")]
    RefusedByPeer {
        /// The code that it gave.
        code: String,
    },
    /// What the server sent does not hold together.
    #[error("the server's answer cannot be trusted: {code}")]
    BadAnswer {
        /// What does not hold.
        code: &'static str,
    },
}

impl Error {
    /// The stable code.
    #[must_use]
    pub fn code(&self) -> &str {
        match self {
            Self::Offline => "offline",
            Self::NotEnrolled => "not_enrolled",
            Self::AlreadyEnrolled => "already_enrolled",
            Self::Revoked => "revoked",
            Self::Locked => "locked",
            Self::StorageFull => "storage_full",
            Self::StorageFailed => "storage_failed",
            Self::TooOld { .. } => "too_old",
            Self::NotAStore => "not_a_store",
            Self::ServerBusy { .. } => "server_busy",
            Self::Refused { .. } => "refused",
            Self::Corrupt { .. } => "corrupt",
            Self::Misuse(_) => "misuse",
            Self::NotFound => "not_found",
            Self::NotAllowed { .. } => "not_allowed",
            Self::NoAddress => "no_address",
            Self::InvalidValue { .. } => "invalid_value",
            Self::InUse => "in_use",
            Self::NoCaseNumber => "no_case_number",
            Self::NotProposed => "not_proposed",
            Self::Unreadable(_) => "unreadable",
            Self::ServerWentBack => "server_went_back",
            Self::PeerGone => "peer_gone",
            Self::BadPeer { code } => code,
            Self::RefusedByPeer { .. } => "refused_by_peer",
            Self::BadAnswer { .. } => "bad_answer",
        }
    }

    /// Whether the same call may succeed later, with nothing else changed.
    #[must_use]
    pub fn retryable(&self) -> bool {
        matches!(
            self,
            Self::Offline
                | Self::StorageFull
                | Self::StorageFailed
                | Self::ServerBusy { .. }
                | Self::InUse
                | Self::ServerWentBack
                | Self::PeerGone
                | Self::BadAnswer { .. }
        )
    }

    /// What to do about it.
    #[must_use]
    pub fn what_to_do(&self) -> &'static str {
        match self {
            Self::Offline => "go on working; sync again when there is a network",
            Self::NotEnrolled => "enrol this device with an invitation",
            Self::AlreadyEnrolled => "use another store for another enrolment",
            Self::Revoked => "ask the administrator for a new invitation",
            Self::Locked => "sync once to see stored records again",
            Self::StorageFull => "free some space and try again",
            Self::StorageFailed => "check the storage and try again",
            Self::TooOld { .. } => "install the newest version of Foras",
            Self::NotAStore => "name a directory that holds a store, or an empty one",
            Self::ServerBusy { .. } => "wait and sync again; nothing is lost",
            Self::Refused { code } if code.starts_with("invitation_") => "ask for a new invitation",
            Self::Refused { .. } => "look at the code; the refused work is kept and can be exported",
            Self::Corrupt { set_aside: Some(_) } => {
                "enrol again; the damaged database was set aside and unsent work may be recovered from it"
            }
            Self::Corrupt { set_aside: None } => "close and open the store again; it is then checked and set aside",
            Self::Misuse(_) => "correct the call",
            Self::NotFound => "check the id, or sync first",
            Self::NotAllowed { .. } => "ask somebody whose role allows it",
            Self::NoAddress => "name the server's address",
            Self::InvalidValue { .. } => "correct the value; `foras phone fields` tells what each field takes",
            Self::InUse => "close the other process first",
            Self::NoCaseNumber => "sync once to get more case numbers",
            Self::NotProposed => "sync first, or propose the handover",
            Self::Unreadable(_) => "check the file and its permissions; what was taken before stays",
            Self::ServerWentBack => "tell the administrator and go on working; nothing on this device is lost",
            Self::PeerGone => "repeat it; what was handed over stays",
            Self::BadPeer { code: "grant_expired" } => "let the phone whose grant ended sync with the server first",
            Self::BadPeer { code: "truncated" } => "what came before is taken; get the whole file and repeat it",
            Self::BadPeer { .. } => {
                "nothing that could not be trusted was taken; check whom you met, or which file it is"
            }
            Self::RefusedByPeer { .. } => "look at the code, and at the other phone",
            Self::BadAnswer { .. } => "sync again; if it lasts, tell the administrator",
        }
    }
}

impl From<rusqlite::Error> for Error {
    fn from(error: rusqlite::Error) -> Self {
        use rusqlite::ErrorCode;
        match error.sqlite_error_code() {
            Some(ErrorCode::DiskFull) => Self::StorageFull,
            Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => Self::Corrupt { set_aside: None },
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => Self::InUse,
            Some(_) => Self::StorageFailed,
            // A column of another type or length than this code writes.
            None => Self::Corrupt { set_aside: None },
        }
    }
}
