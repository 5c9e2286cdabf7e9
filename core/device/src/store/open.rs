//! Opening: what may lie where the store should be, and what becomes of it.
//!
//! Nothing is ever deleted. A damaged database is set aside beside the new one, since it may hold unsent work; what is no
//! store of ours, or one of a newer build, is left untouched.

use std::ffi::OsString;
use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};

use rusqlite::Connection;
use rusqlite::config::DbConfig;

use super::schema;
use crate::error::Error;

/// The database's name within the store's directory.
pub(super) const FILE: &str = "foras.db";
/// The first bytes of every SQLite database (sqlite.org/fileformat.html, 1.3).
const MAGIC: &[u8; 16] = b"SQLite format 3\0";
const HEADER_BYTES: usize = 100;
const USER_VERSION_AT: usize = 60;
const APPLICATION_ID_AT: usize = 68;
/// How much of a file without that magic is looked at, to tell text from a damaged database.
const SAMPLE_BYTES: u64 = 4096;

/// Opens the database in `dir`, and makes both where they are missing. `now` is the moment that a damaged database is
/// named by.
pub(super) fn open(dir: &Path, now: &str) -> Result<Connection, Error> {
    if dir.exists() && !dir.is_dir() {
        return Err(Error::NotAStore);
    }
    fs::create_dir_all(dir).map_err(of_io)?;
    let path = dir.join(FILE);
    inspect(&path)?;
    match connect(&path) {
        Err(Error::Corrupt { .. }) => {
            let set_aside = set_aside(&path, now)?;
            Err(Error::Corrupt { set_aside: Some(set_aside) })
        }
        other => other,
    }
}

/// Refuses what is no store of this build, before SQLite touches it.
fn inspect(path: &Path) -> Result<(), Error> {
    let Ok(metadata) = fs::symlink_metadata(path) else {
        return make_private(path);
    };
    if !metadata.is_file() {
        return Err(Error::NotAStore);
    }
    let mut sample = Vec::new();
    fs::File::open(path).and_then(|file| file.take(SAMPLE_BYTES).read_to_end(&mut sample)).map_err(of_io)?;
    if sample.is_empty() {
        return Ok(());
    }
    if !sample.starts_with(MAGIC) {
        // A database whose first page was damaged is not text; SQLite says so when it opens it.
        return if is_text(&sample) { Err(Error::NotAStore) } else { Ok(()) };
    }
    if sample.len() < HEADER_BYTES {
        return Ok(());
    }
    let (version, application) = (number_at(&sample, USER_VERSION_AT), number_at(&sample, APPLICATION_ID_AT));
    if application != schema::APPLICATION_ID && (application, version) != (0, 0) {
        return Err(Error::NotAStore);
    }
    if version > schema::VERSION {
        return Err(Error::TooOld { found: version, known: schema::VERSION });
    }
    Ok(())
}

fn number_at(header: &[u8], at: usize) -> u32 {
    header.get(at..at + 4).and_then(|bytes| bytes.try_into().ok()).map_or(0, u32::from_be_bytes)
}

fn is_text(sample: &[u8]) -> bool {
    let valid = match std::str::from_utf8(sample) {
        Ok(_) => true,
        // The sample may end within a character.
        Err(error) => error.error_len().is_none(),
    };
    valid && !sample.contains(&0)
}

/// Makes an empty file that only its owner reads. SQLite gives its journals the same mode.
fn make_private(path: &Path) -> Result<(), Error> {
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    match options.open(path) {
        Ok(_) => Ok(()),
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(of_io(error)),
    }
}

fn connect(path: &Path) -> Result<Connection, Error> {
    let mut connection = Connection::open(path)?;
    // Until it is known to be ours and whole, closing it leaves database and journal as they were.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
    // The lock of a process that was killed is gone with it, so a held one is a living process's.
    connection.busy_timeout(std::time::Duration::ZERO)?;
    connection.pragma_update(None, "locking_mode", "EXCLUSIVE")?;
    connection.execute_batch("BEGIN IMMEDIATE; COMMIT")?;
    schema::check(&connection)?;
    prepare(&mut connection)?;
    check_pages(&connection)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, false)?;
    Ok(connection)
}

/// Settings of a connection, and the newest schema.
pub(super) fn prepare(connection: &mut Connection) -> Result<(), Error> {
    // One process, one connection: the index of the journal lives in memory, not in a third file.
    connection.pragma_update(None, "locking_mode", "EXCLUSIVE")?;
    // Faster, and correct without: where a platform offers no WAL, SQLite answers with the journal that it has.
    connection.query_row("PRAGMA journal_mode = WAL", [], |_| Ok(()))?;
    // What a call returned as saved survives a loss of power. With a WAL this is FULL; without one it syncs the folder as
    // well, once the journal is deleted: otherwise the journal may be back, and undo the last commit.
    connection.pragma_update(None, "synchronous", "EXTRA")?;
    // What is deleted is overwritten: these are records of people at risk.
    connection.query_row("PRAGMA secure_delete = ON", [], |_| Ok(()))?;
    connection.pragma_update(None, "foreign_keys", "ON")?;
    // Sorting and indexing spill to memory, never to a file that nobody wipes.
    connection.pragma_update(None, "temp_store", "MEMORY")?;
    // A statement is prepared once, whatever is bound to it: otherwise partial indexes have it prepared at each edit.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    connection.set_prepared_statement_cache_capacity(64);
    schema::migrate(connection)
}

fn check_pages(connection: &Connection) -> Result<(), Error> {
    let verdict: String = connection.query_row("PRAGMA quick_check(1)", [], |row| row.get(0))?;
    if verdict == "ok" { Ok(()) } else { Err(Error::Corrupt { set_aside: None }) }
}

fn set_aside(path: &Path, now: &str) -> Result<PathBuf, Error> {
    let aside = (0..)
        .map(|copy: u32| {
            suffixed(path, &if copy == 0 { format!(".damaged-{now}") } else { format!(".damaged-{now}-{copy}") })
        })
        .find(|aside| !aside.exists())
        .ok_or(Error::StorageFailed)?;
    // Journals first: a database that is still in place finds them gone at worst, and is then set aside again.
    for journal in ["-wal", "-journal"] {
        let from = suffixed(path, journal);
        if from.exists() {
            fs::rename(from, suffixed(&aside, journal)).map_err(of_io)?;
        }
    }
    fs::rename(path, &aside).map_err(of_io)?;
    Ok(aside)
}

fn suffixed(path: &Path, suffix: &str) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(suffix);
    PathBuf::from(name)
}

#[allow(clippy::needless_pass_by_value, reason = "an adapter for map_err")]
fn of_io(error: std::io::Error) -> Error {
    match error.kind() {
        std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded => Error::StorageFull,
        std::io::ErrorKind::NotADirectory => Error::NotAStore,
        _ => Error::StorageFailed,
    }
}
