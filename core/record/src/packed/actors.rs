//! Who: an author of the list, one that the receiver was told of, the server for this record, or a new one in full.

use foras_wire::id::Actor;

use super::PackedError;
use super::columns::{Column, Reader, Writer};
use super::told::Told;
use crate::identity;

/// The one that is most likely here.
const LIKELY: u64 = 0;
/// The server, as the author of this record's changes.
const SERVER: u64 = 1;
/// A new one, in full.
const NEW: u64 = 2;
/// A new one, by the first bytes of its id. Above: its place in the list of actors.
const NAMED: u64 = 3;
const LISTED: u64 = 4;

/// Earlier epochs of the server that are looked through.
const EPOCHS_BACK_MAX: u64 = 8;

/// Writes an actor into `column`, for the record at `place`; `likely` is the one that both sides expect.
pub(super) fn write(
    told: &mut Told<'_>,
    out: &mut Writer,
    column: Column,
    place: usize,
    likely: Option<Actor>,
    actor: &Actor,
) {
    if likely == Some(*actor) {
        return out.unsigned(column, LIKELY);
    }
    if let Some(listed) = told.place_of_actor(actor) {
        return out.unsigned(column, LISTED + listed as u64);
    }
    if let Some(back) = (0..EPOCHS_BACK_MAX).find(|back| server(told, place, *back) == Some(*actor)) {
        told.server = Some(*actor);
        out.unsigned(column, SERVER);
        return out.unsigned(Column::Epoch, back);
    }
    match told.held.actor_name_bytes(actor) {
        Some(len) => {
            out.unsigned(column, NAMED);
            out.name(actor.as_bytes(), len);
        }
        None => {
            out.unsigned(column, NEW);
            out.bytes(Column::ActorId, actor.as_bytes());
        }
    }
    told.add_actor(*actor);
}

/// The server's actor for the record, `back` epochs ago.
fn server(told: &Told<'_>, place: usize, back: u64) -> Option<Actor> {
    let (key, epoch) = told.held.server()?;
    let epoch = epoch.checked_sub(back).filter(|epoch| *epoch > 0)?;
    Some(identity::server_actor(&key, epoch, &told.key(place)?))
}

/// Reads an actor from `column`.
pub(super) fn read(
    told: &mut Told<'_>,
    columns: &mut Reader<'_>,
    column: Column,
    place: usize,
    likely: Option<Actor>,
) -> Result<Actor, PackedError> {
    let actor = match columns.unsigned(column)? {
        LIKELY => return likely.ok_or(PackedError::Malformed),
        SERVER => {
            let back = columns.unsigned(Column::Epoch)?;
            let actor = server(told, place, back).ok_or(PackedError::NotHeld)?;
            told.server = Some(actor);
            return Ok(actor);
        }
        NEW => Actor(columns.array(Column::ActorId)?),
        NAMED => told.held.actor_named(columns.name()?).ok_or(PackedError::NotHeld)?,
        code => {
            let place = usize::try_from(code - LISTED).map_err(|_| PackedError::Malformed)?;
            return told.actor(place).ok_or(PackedError::Malformed);
        }
    };
    told.add_actor(actor);
    Ok(actor)
}
