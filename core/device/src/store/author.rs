//! Who an actor is, offline too.

use foras_record::identity;
use foras_record::role::Role;
use foras_wire::id::Actor;
use foras_wire::record::RecordKey;
use rusqlite::{Connection, OptionalExtension, params};

use super::Store;
use super::identity::Identity;
use crate::error::Error;

/// Epochs of the server that are looked through, the newest first: one more for each time it was restored.
const EPOCHS_MAX: usize = 64;

/// The author of a change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Author {
    /// What colleagues call the person; `None` where this device is not told.
    pub name: Option<String>,
    /// As whom the person wrote.
    pub role: Role,
}

impl Store {
    /// Who writes `record` as `actor`; `None` where the server has not told yet.
    ///
    /// # Errors
    /// A failure of the storage.
    pub fn author(&self, record: &RecordKey, actor: &Actor) -> Result<Option<Author>, Error> {
        if let Some((name, role)) = told(&self.connection, actor)? {
            let name = Some(name).filter(|name: &String| !name.is_empty());
            return Ok(role.parse().ok().map(|role| Author { name, role }));
        }
        let is_server = self.identity.as_deref().is_some_and(|identity| is_server(identity, record, actor));
        Ok(is_server.then_some(Author { name: None, role: Role::Server }))
    }
}

/// Keeps who an actor is. A name that was told once stays where it is told no more.
pub(super) fn introduce(connection: &Connection, actor: &Actor, name: Option<&str>, role: &str) -> Result<(), Error> {
    let sql = "INSERT INTO author (actor, name, role) VALUES (?1, ?2, ?3) ON CONFLICT (actor) DO UPDATE SET \
               name = CASE excluded.name WHEN '' THEN name ELSE excluded.name END, role = excluded.role";
    connection.prepare_cached(sql)?.execute(params![actor.as_bytes(), name.unwrap_or_default(), role])?;
    Ok(())
}

fn told(connection: &Connection, actor: &Actor) -> Result<Option<(String, String)>, Error> {
    let mut statement = connection.prepare_cached("SELECT name, role FROM author WHERE actor = ?1")?;
    Ok(statement.query_row([actor.as_bytes()], |row| Ok((row.get(0)?, row.get(1)?))).optional()?)
}

/// The role in which `actor` writes `record`, where it is known.
pub(super) fn role_of(
    connection: &Connection,
    identity: &Identity,
    record: &RecordKey,
    actor: &Actor,
) -> Result<Option<Role>, Error> {
    if let Some((_, role)) = told(connection, actor)? {
        return Ok(role.parse().ok());
    }
    Ok(is_server(identity, record, actor).then_some(Role::Server))
}

/// Nobody introduces the server: its actors follow from its key, the record and the epoch.
fn is_server(identity: &Identity, record: &RecordKey, actor: &Actor) -> bool {
    let epochs = (1..=identity.epoch).rev().take(EPOCHS_MAX);
    epochs.into_iter().any(|epoch| identity::server_actor(&identity.server.key, epoch, record) == *actor)
}
