//! Single values of the server, and the missions to which cases may be handed over.

use rusqlite::{Connection, OptionalExtension};

use crate::error::ServerError;

/// Counts restores from a backup.
pub(crate) const EPOCH: &str = "epoch";
/// Which server the database belongs to, in hex.
pub(crate) const SERVER: &str = "server";
/// Since when a recovery is under way, in milliseconds since 1970.
pub(crate) const RECOVERY: &str = "recovery";
/// Present once the sums of records and audiences are kept.
pub(crate) const DIGESTS: &str = "digests";
/// Where the running server listens.
pub(crate) const ADDRESS: &str = "address";
/// What invitations name, where it is not the address.
pub(crate) const PUBLIC_URL: &str = "public_url";

/// The setting `name`.
pub(crate) fn get(db: &Connection, name: &str) -> Result<Option<String>, ServerError> {
    Ok(db.query_row("SELECT value FROM setting WHERE name = ?1", [name], |row| row.get(0)).optional()?)
}

/// Sets `name`; `None` removes it.
pub(crate) fn set(db: &Connection, name: &str, value: Option<&str>) -> Result<(), ServerError> {
    match value {
        Some(value) => db.execute(
            "INSERT INTO setting (name, value) VALUES (?1, ?2) ON CONFLICT (name) DO UPDATE SET value = ?2",
            [name, value],
        )?,
        None => db.execute("DELETE FROM setting WHERE name = ?1", [name])?,
    };
    Ok(())
}

/// A mission's transfer authorisation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Authorisation {
    pub(crate) country: String,
    pub(crate) reference: String,
    /// The last day on which it holds, `YYYY-MM-DD`.
    pub(crate) expires_on: String,
}

/// Adds or renews an authorisation.
pub(crate) fn put_destination(db: &Connection, authorisation: &Authorisation) -> Result<(), ServerError> {
    db.execute(
        "INSERT INTO destination (country, reference, expires_on) VALUES (?1, ?2, ?3)
         ON CONFLICT (country) DO UPDATE SET reference = ?2, expires_on = ?3",
        [&authorisation.country, &authorisation.reference, &authorisation.expires_on],
    )?;
    Ok(())
}

/// Every authorisation, by country.
pub(crate) fn destinations(db: &Connection) -> Result<Vec<Authorisation>, ServerError> {
    let mut rows = db.prepare_cached("SELECT country, reference, expires_on FROM destination ORDER BY country")?;
    let rows = rows.query_map([], |row| {
        Ok(Authorisation { country: row.get(0)?, reference: row.get(1)?, expires_on: row.get(2)? })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}
