//! Who an actor is, offline too.

use foras_record::role::Role;
use foras_wire::id::Actor;
use rusqlite::{Connection, OptionalExtension, params};

use super::Store;
use crate::error::Error;

/// The author of a change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Author {
    /// What colleagues call the person; `None` where this device is not told.
    pub name: Option<String>,
    /// As whom the person wrote.
    pub role: Role,
}

impl Store {
    /// Who `actor` is; `None` where the server has not told yet.
    ///
    /// # Errors
    /// A failure of the storage.
    pub fn author(&self, actor: &Actor) -> Result<Option<Author>, Error> {
        let mut statement = self.connection.prepare_cached("SELECT name, role FROM author WHERE actor = ?1")?;
        let found = statement.query_row([actor.as_bytes()], |row| Ok((row.get(0)?, row.get::<_, String>(1)?)));
        let Some((name, role)) = found.optional()? else { return Ok(None) };
        let name = Some(name).filter(|name: &String| !name.is_empty());
        Ok(role.parse().ok().map(|role| Author { name, role }))
    }
}

/// Keeps who an actor is. A name that was told once stays where it is told no more.
pub(super) fn introduce(connection: &Connection, actor: &Actor, name: Option<&str>, role: &str) -> Result<(), Error> {
    let sql = "INSERT INTO author (actor, name, role) VALUES (?1, ?2, ?3) ON CONFLICT (actor) DO UPDATE SET \
               name = CASE excluded.name WHEN '' THEN name ELSE excluded.name END, role = excluded.role";
    connection.prepare_cached(sql)?.execute(params![actor.as_bytes(), name.unwrap_or_default(), role])?;
    Ok(())
}
