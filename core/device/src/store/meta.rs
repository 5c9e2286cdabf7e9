//! Single values of the device: keys, grant, token, counters.

use minicbor::{Decode, Encode};
use rusqlite::{Connection, OptionalExtension, params};

use crate::error::Error;

/// Names of the values. A name never changes its meaning.
pub(super) mod name {
    /// Seed of the device's Ed25519 key: 32 bytes.
    pub(crate) const SEED: &str = "seed";
    /// The incarnation in use: 16 bytes.
    pub(crate) const INCARNATION: &str = "incarnation";
    /// CBOR of [`super::super::identity::ServerFacts`].
    pub(crate) const SERVER: &str = "server";
    /// Where the server is reached: UTF-8.
    pub(crate) const SERVER_URL: &str = "server_url";
    /// The server's epoch: CBOR.
    pub(crate) const EPOCH: &str = "epoch";
    /// The opaque token of requests: 32 bytes.
    pub(crate) const TOKEN: &str = "token";
    /// When that token came, in milliseconds since 1970, device's clock: CBOR.
    pub(crate) const TOKEN_AT: &str = "token_at";
    /// The challenge for the next request: 16 bytes.
    pub(crate) const NONCE: &str = "nonce";
    /// CBOR of the signed grant.
    pub(crate) const GRANT: &str = "grant";
    /// CBOR of the block of case numbers.
    pub(crate) const CASE_NUMBERS: &str = "case_numbers";
    /// The next number of that block: CBOR.
    pub(crate) const CASE_NUMBER_NEXT: &str = "case_number_next";
    /// Secret from which ids of imported cases derive: 32 bytes.
    pub(crate) const IMPORT_KEY: &str = "import_key";
    /// CBOR of [`super::super::lease::Contact`].
    pub(crate) const CONTACT: &str = "contact";
    /// Present while what was dropped may still lie in a journal.
    pub(crate) const SCRUB: &str = "scrub";
    /// When sums were last made anew from the changes, in milliseconds since 1970, device's clock: CBOR.
    pub(crate) const RECOUNTED: &str = "recounted";
    /// The newest epoch of the server that this device ever heard of: CBOR.
    pub(crate) const NEWEST_EPOCH: &str = "newest_epoch";
    /// This device's and the server's digest, when they last differed.
    pub(crate) const DIFFERED: &str = "differed";
    /// Present once the server said that the device is revoked.
    pub(crate) const REVOKED: &str = "revoked";
}

pub(super) fn get(connection: &Connection, name: &str) -> Result<Option<Vec<u8>>, Error> {
    let mut statement = connection.prepare_cached("SELECT value FROM meta WHERE name = ?1")?;
    Ok(statement.query_row([name], |row| row.get(0)).optional()?)
}

pub(super) fn put(connection: &Connection, name: &str, value: &[u8]) -> Result<(), Error> {
    let sql = "INSERT INTO meta (name, value) VALUES (?1, ?2) ON CONFLICT (name) DO UPDATE SET value = excluded.value";
    connection.prepare_cached(sql)?.execute(params![name, value])?;
    Ok(())
}

pub(super) fn remove(connection: &Connection, name: &str) -> Result<(), Error> {
    connection.prepare_cached("DELETE FROM meta WHERE name = ?1")?.execute([name])?;
    Ok(())
}

/// A value of fixed length.
pub(super) fn get_array<const N: usize>(connection: &Connection, name: &str) -> Result<Option<[u8; N]>, Error> {
    let Some(bytes) = get(connection, name)? else { return Ok(None) };
    bytes.try_into().map(Some).map_err(|_| Error::Corrupt { set_aside: None })
}

pub(super) fn get_cbor<T: for<'b> Decode<'b, ()>>(connection: &Connection, name: &str) -> Result<Option<T>, Error> {
    let Some(bytes) = get(connection, name)? else { return Ok(None) };
    minicbor::decode(&bytes).map(Some).map_err(|_| Error::Corrupt { set_aside: None })
}

pub(super) fn put_cbor<T: Encode<()>>(connection: &Connection, name: &str, value: &T) -> Result<(), Error> {
    put(connection, name, &foras_wire::frame::to_cbor(value))
}
