//! What may go wrong on the server, with a stable code each. No message holds personal data.

use std::io;

use rusqlite::ErrorCode;

/// A failure of the server or of its data folder.
#[derive(Debug, thiserror::Error)]
pub enum ServerError {
    /// SQLite failed.
    #[error("the database failed: {}", database_code(.0))]
    Database(#[from] rusqlite::Error),
    /// A file of the data folder could not be read or written.
    #[error("a file of the data folder failed: {}", .0.kind())]
    Io(#[from] io::Error),
    /// Nothing can listen at the address.
    #[error("the address cannot be listened on: {}", .0.kind())]
    Listen(io::Error),
    /// Another server works on this folder.
    #[error("another server works on this data folder")]
    InUse,
    /// A file stands where the folder should be.
    #[error("the data folder is a file")]
    NotAFolder,
    /// There is no data folder.
    #[error("there is no data folder here")]
    NoFolder,
    /// The folder was written by a newer build.
    #[error("the data folder was written by a newer version (schema {0})")]
    TooNew(i64),
    /// The folder's files do not fit together, or do not read.
    #[error("the data folder is damaged: {0}")]
    Corrupt(&'static str),
    /// Nobody said where the server is reached.
    #[error("no address of the server is known, so an invitation could not name one")]
    NoAddress,
    /// What is asked for does not exist.
    #[error("there is no such {0}")]
    NotFound(&'static str),
    /// What is asked for makes no sense.
    #[error("{0}")]
    Misuse(&'static str),
    /// No randomness is to be had.
    #[error("the system gives no random numbers")]
    Entropy,
}

fn database_code(error: &rusqlite::Error) -> String {
    match error.sqlite_error_code() {
        Some(code) => format!("{code:?}"),
        None => "a statement or a value was not as expected".to_owned(),
    }
}

fn extended(error: &rusqlite::Error) -> Option<i32> {
    error.sqlite_error().map(|error| error.extended_code)
}

impl ServerError {
    /// The stable code.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            // The index of the write-ahead log could not grow: SQLite tells a full disk in its own way there.
            Self::Database(error) if extended(error) == Some(rusqlite::ffi::SQLITE_IOERR_SHMSIZE) => "storage_full",
            Self::Database(error) => match error.sqlite_error_code() {
                Some(ErrorCode::DiskFull) => "storage_full",
                Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => "server_busy",
                Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => "corrupt",
                _ => "database",
            },
            Self::Io(error) if error.kind() == io::ErrorKind::StorageFull => "storage_full",
            Self::Io(_) => "io",
            Self::Listen(_) => "cannot_listen",
            Self::InUse => "in_use",
            Self::NotAFolder => "not_a_folder",
            Self::NoFolder => "no_data_folder",
            Self::TooNew(_) => "too_old",
            Self::Corrupt(_) => "corrupt",
            Self::NoAddress => "no_address",
            Self::NotFound(_) => "not_found",
            Self::Misuse(_) => "misuse",
            Self::Entropy => "no_entropy",
        }
    }

    /// Whether the same may succeed later.
    #[must_use]
    pub fn retryable(&self) -> bool {
        matches!(self.code(), "storage_full" | "server_busy" | "in_use" | "io" | "cannot_listen" | "no_entropy")
    }

    /// What to do about it.
    #[must_use]
    pub fn what_to_do(&self) -> &'static str {
        match self.code() {
            "storage_full" => "free space on the disk of the data folder, then repeat",
            "server_busy" => "repeat in a moment",
            "corrupt" => "keep the folder as it is and restore a backup beside it",
            "io" => "check the folder, its permissions and the disk",
            "cannot_listen" => "stop what listens there, or name another address; port 0 takes a free one",
            "in_use" => "stop the other server, or name another data folder",
            "not_a_folder" => "name a folder, or a path where there is nothing yet",
            "no_data_folder" => "start `foras serve` on this folder once",
            "too_old" => "use the version that wrote the folder, or a later one",
            "no_address" => "start `foras serve` first, or give it --public-url",
            "not_found" => "check the id; a case is known here once a phone has sent it",
            "misuse" => "see `foras device invite --help`",
            _ => "repeat; if it stays, keep the folder and report the code",
        }
    }
}
