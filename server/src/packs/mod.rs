//! Packs: what a new phone gets instead of a long log. Made once, segment by segment, by whoever first asks for them;
//! everybody else waits for the segment, not for the pack.

mod make;
mod plan;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use foras_wire::id::PackId;
use foras_wire::limits::PIECE_BYTES;
use foras_wire::pack::Seal;

use crate::error::ServerError;
use crate::server::Server;
use crate::storage::locked;
use crate::storage::logs;
use crate::storage::packs::{self, PackRow, Shelf};

use plan::Plan;

/// When a new phone gets a pack, and how it is cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PackSizes {
    /// Positions of a log up to which a new phone gets pages.
    pub log_max: u64,
    /// Raw bytes of changes in the first segment: what a phone shows first. About an eighth of it travels.
    pub first_bytes: u64,
    /// Raw bytes of changes in each later one.
    pub later_bytes: u64,
    /// Bytes of a piece, at most `foras_wire::limits::PIECE_BYTES`: what a cut can cost.
    pub piece_bytes: usize,
}

impl Default for PackSizes {
    fn default() -> Self {
        Self { log_max: 500, first_bytes: 512 * 1024, later_bytes: 2 * 1024 * 1024, piece_bytes: PIECE_BYTES }
    }
}

/// The packs that are being made right now.
#[derive(Debug, Default)]
pub(crate) struct Workshop {
    sizes: Mutex<PackSizes>,
    benches: Mutex<BTreeMap<Shelf, Arc<Mutex<Option<Plan>>>>>,
}

/// A segment that was made.
pub(crate) struct Made {
    pub(crate) seal: Seal,
    pub(crate) blob: Vec<u8>,
    /// Bytes of the whole pack; 0 while some of it is not made.
    pub(crate) pack_bytes: u64,
}

/// The pack that a phone gets from position 0 on: the one that it is in the middle of, else the newest, else a new one.
/// `None` where its pages serve it better.
pub(crate) fn choose(
    server: &Server,
    shelf: &Shelf,
    under_way: Option<&PackId>,
) -> Result<Option<PackRow>, ServerError> {
    let bench = server.workshop.bench(shelf);
    let mut planned = locked(&bench);
    let (head, known) = server.db.read(|db| {
        let head = logs::head(db, &shelf.audience)?;
        let own = under_way.map(|id| packs::get(db, shelf, id)).transpose()?.flatten();
        let known = match own {
            Some(own) => Some(own),
            // Once the log has grown by a fifth, its end is too long a way behind the pack's.
            None => packs::newest(db, shelf)?.filter(|pack| head <= pack.to + pack.to / 5),
        };
        Ok((head, known))
    })?;
    if known.is_some() {
        return Ok(known);
    }
    if head <= server.workshop.sizes().log_max {
        return Ok(None);
    }
    let sizes = server.workshop.sizes();
    let Some(plan) = server.db.read(|db| Plan::of(db, &server.keys, shelf, head, sizes))? else { return Ok(None) };
    let pack = plan.row();
    server.db.write(|db| packs::add(db, shelf, &pack))?;
    *planned = Some(plan);
    Ok(Some(pack))
}

/// A segment of a pack, made if it was not yet; `None` when the pack was forgotten meanwhile, because something left the
/// audience.
pub(crate) fn segment(
    server: &Server,
    shelf: &Shelf,
    pack: &PackRow,
    number: u32,
) -> Result<Option<Made>, ServerError> {
    if let Some(made) = made(server, shelf, pack, number)? {
        return Ok(Some(made));
    }
    let bench = server.workshop.bench(shelf);
    let mut planned = locked(&bench);
    // Another phone may have had it made meanwhile.
    if let Some(made) = made(server, shelf, pack, number)? {
        return Ok(Some(made));
    }
    let sizes = server.workshop.sizes();
    if planned.as_ref().is_none_or(|plan| plan.id != pack.id) {
        // The server was started again in the middle of making it: the same records make the same plan.
        *planned = server.db.read(|db| Plan::of(db, &server.keys, shelf, pack.to, sizes))?;
    }
    let Some(plan) = planned.as_ref().filter(|plan| plan.id == pack.id) else {
        server.db.write(|db| packs::forget(db, &shelf.audience))?;
        return Ok(None);
    };
    let Some((seal, blob)) = make::segment(server, shelf, plan, number)? else { return Ok(None) };
    let kept = server.db.write(|db| packs::add_segment(db, shelf, &pack.id, number, &seal, &blob))?;
    let whole = server.db.read(|db| packs::bytes(db, shelf, pack))?;
    if whole.is_some() {
        *planned = None;
    }
    Ok(kept.then_some(Made { seal, blob, pack_bytes: whole.unwrap_or(0) }))
}

fn made(server: &Server, shelf: &Shelf, pack: &PackRow, number: u32) -> Result<Option<Made>, ServerError> {
    server.db.read(|db| {
        // Between two segments something may have left.
        if packs::get(db, shelf, &pack.id)?.is_none() {
            return Ok(None);
        }
        let Some((seal, blob)) = packs::segment(db, shelf, &pack.id, number)? else { return Ok(None) };
        Ok(Some(Made { seal, blob, pack_bytes: packs::bytes(db, shelf, pack)?.unwrap_or(0) }))
    })
}

impl Workshop {
    pub(crate) fn sizes(&self) -> PackSizes {
        *locked(&self.sizes)
    }

    pub(crate) fn set_sizes(&self, sizes: PackSizes) {
        *locked(&self.sizes) = PackSizes { piece_bytes: sizes.piece_bytes.clamp(1, PIECE_BYTES), ..sizes };
    }

    fn bench(&self, shelf: &Shelf) -> Arc<Mutex<Option<Plan>>> {
        Arc::clone(locked(&self.benches).entry(shelf.clone()).or_default())
    }
}
