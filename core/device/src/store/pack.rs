//! Packs under way: pieces as they come, kept as they are until their segment is whole.
//!
//! Each piece is one transaction, so a cut costs at most one. When the last segment is in, the audience's cursor stands
//! where the pack ends, and pages go on from there.

use foras_record::pack::Maker;
use foras_record::proof;
use foras_record::received::Received;
use foras_wire::audience::AudienceName;
use foras_wire::frame::{from_cbor, to_cbor};
use foras_wire::id::PackId;
use foras_wire::pack::{self, PackProgress, Piece, Seal};
use rusqlite::{Connection, OptionalExtension, params};

use super::identity::Identity;
use super::pack_in::{self, Whole};
use super::writing::Writing;
use super::{Store, fold, leave, page, rows};
use crate::error::Error;

/// Pieces further apart than this, in milliseconds, tell nothing about how fast the link is.
const PAUSE_MS: i64 = 30_000;

/// What came of a piece.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct PieceKept {
    /// Where the audience's cursor stands now: set with a pack's last piece.
    pub cursor: Option<u64>,
    /// Changes that were new to the device: of a segment, with its last piece.
    pub received: u32,
}

/// How far a first sync has come, over all packs under way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct FirstSync {
    /// Bytes that came.
    pub bytes: u64,
    /// Bytes in all; `None` while the server still makes one of the packs.
    pub bytes_total: Option<u64>,
    /// Records that came.
    pub records: u64,
    /// Records in all.
    pub records_total: u64,
    /// Seconds left at the rate of late; `None` while that is not known.
    pub left_s: Option<u64>,
}

/// A row of a pack under way.
struct Under {
    id: PackId,
    segment: u32,
    held: u32,
    seal: Option<Seal>,
    piece_ms: i64,
    /// Bytes of the last pieces, and the milliseconds in which they came.
    recent_bytes: i64,
    recent_ms: i64,
}

const fn bad(code: &'static str) -> Error {
    Error::BadAnswer { code }
}

impl Store {
    /// Keeps a piece. With a segment's last one its records come in, received and not tried yet; with a pack's last one the
    /// cursor moves to where the pack ends. A piece of another pack than the one under way begins that anew.
    ///
    /// # Errors
    /// [`Error::NotEnrolled`]; [`Error::BadAnswer`] when the piece is not the server's, is of no audience of this device,
    /// or does not continue what is here. A segment that turns out damaged is forgotten and comes again; nothing of it is
    /// applied.
    pub fn keep_piece(&mut self, piece: &Piece, now_ms: i64) -> Result<PieceKept, Error> {
        let identity = self.identity.clone().ok_or(Error::NotEnrolled)?;
        let audience = identity.audiences().get(usize::from(piece.audience)).ok_or(bad("unknown_audience"))?;
        let reborn = identity.reborn(self.fresh_incarnation()?);
        let mut writing = self.begin(now_ms)?;
        if page::cursor(writing.connection(), audience)? != 0 {
            return Err(bad("not_at_cursor"));
        }
        let under = begin(&mut writing, &identity, audience, piece)?;
        let seal = under.seal.as_ref().ok_or(bad("not_at_offset"))?;
        let held = keep(&writing, audience, &under, piece)?;
        if held > seal.bytes {
            return Err(bad("not_at_offset"));
        }
        let mut kept = PieceKept::default();
        if held == seal.bytes {
            let Some(whole) = whole(writing.connection(), &identity, audience, seal)? else {
                forget_segment(writing.connection(), audience)?;
                writing.commit()?;
                return Err(bad("damaged_segment"));
            };
            kept.received = pack_in::bring(&mut writing, &reborn, audience, seal, &whole)?;
            advance(writing.connection(), audience, seal)?;
            if piece.segment + 1 == seal.segments {
                end(writing.connection(), audience)?;
                page::advance(writing.connection(), audience, seal.to)?;
                kept.cursor = Some(seal.to);
            }
        }
        let mut changed = writing.commit()?;
        changed.delivery = true;
        self.may_be_folded.set(true);
        self.observers.tell(&changed);
        self.scrub()?;
        Ok(kept)
    }

    /// How far the packs under way have come, in the order of the grant; `None` where every audience is filled already.
    pub(super) fn packs(&self, identity: &Identity) -> Result<Option<Vec<PackProgress>>, Error> {
        let mut progress = None;
        for (audience, name) in (0..).zip(identity.audiences()) {
            if page::cursor(&self.connection, name)? != 0 {
                continue;
            }
            let progress = progress.get_or_insert_with(Vec::new);
            if let Some(Under { id, segment, held, .. }) = under_way(&self.connection, name)? {
                progress.push(PackProgress { audience, pack: id, segment, offset: held });
            }
        }
        Ok(progress)
    }

    /// How far a first sync has come; `None` when no pack is under way.
    ///
    /// # Errors
    /// A failure of the storage.
    pub fn first_sync(&self) -> Result<Option<FirstSync>, Error> {
        let sql = "SELECT count(*), coalesce(sum(bytes), 0), coalesce(sum(bytes_total), 0), \
                   coalesce(sum(bytes_total = 0), 0), coalesce(sum(records), 0), coalesce(sum(records_total), 0), \
                   coalesce(max(recent_bytes * 1000 / max(recent_ms, 1)) FILTER (WHERE recent_ms > 0), 0) FROM pack";
        let mut statement = self.connection.prepare_cached(sql)?;
        let column = |row: &rusqlite::Row<'_>, at| row.get::<_, i64>(at).map(i64::cast_unsigned);
        let [packs, bytes, total, unknown, records, records_total, rate] = statement.query_row([], |row| {
            let mut all = [0; 7];
            for (at, slot) in all.iter_mut().enumerate() {
                *slot = column(row, at)?;
            }
            Ok(all)
        })?;
        let bytes_total = (unknown == 0).then_some(total);
        let left_s = bytes_total.filter(|_| rate > 0).map(|total| total.saturating_sub(bytes).div_ceil(rate.max(1)));
        Ok((packs > 0).then_some(FirstSync { bytes, bytes_total, records, records_total, left_s }))
    }
}

/// The pack that the piece belongs to, as it stands before it.
fn begin(
    writing: &mut Writing<'_>,
    identity: &Identity,
    audience: &AudienceName,
    piece: &Piece,
) -> Result<Under, Error> {
    let before = under_way(writing.connection(), audience)?;
    if before.as_ref().is_none_or(|before| before.id != piece.pack) {
        if piece.segment != 0 || piece.offset != 0 {
            return Err(bad("not_at_offset"));
        }
        forget(writing, audience)?;
        let sql = "INSERT INTO pack (audience, id) VALUES (?1, ?2)";
        writing.connection().prepare_cached(sql)?.execute(params![audience.as_str(), piece.pack.as_bytes()])?;
    }
    let mut under = under_way(writing.connection(), audience)?.ok_or(bad("not_at_offset"))?;
    if (piece.segment, piece.offset) != (under.segment, under.held) {
        return Err(bad("not_at_offset"));
    }
    if let Some(seal) = &piece.seal {
        let (server, epoch) = (&identity.server, identity.epoch);
        proof::verify_seal(&server.key, seal, &server.id, epoch, audience, &piece.pack, piece.segment)
            .map_err(|_| bad("bad_signature"))?;
        let sql = "UPDATE pack SET seal = ?2, records_total = ?3 WHERE audience = ?1";
        let words = params![audience.as_str(), to_cbor(seal), seal.pack_records];
        writing.connection().prepare_cached(sql)?.execute(words)?;
        under.seal = Some(seal.clone());
    }
    Ok(under)
}

/// Keeps the piece's bytes; gives how many of its segment are here now.
fn keep(writing: &Writing<'_>, audience: &AudienceName, under: &Under, piece: &Piece) -> Result<u32, Error> {
    let bytes = u32::try_from(piece.bytes.len()).map_err(|_| bad("not_at_offset"))?;
    let held = piece.offset.checked_add(bytes).ok_or(bad("not_at_offset"))?;
    let sql = "INSERT INTO piece (audience, at, bytes) VALUES (?1, ?2, ?3)";
    writing.connection().prepare_cached(sql)?.execute(params![audience.as_str(), piece.offset, piece.bytes])?;
    let elapsed_ms = writing.now_ms.saturating_sub(under.piece_ms);
    let (recent_bytes, recent_ms) = match elapsed_ms {
        // An eighth of what was fades with each piece: a single slow one is not the link.
        0..=PAUSE_MS => (fading(under.recent_bytes) + i64::from(bytes), fading(under.recent_ms) + elapsed_ms),
        _ => (under.recent_bytes, under.recent_ms),
    };
    let sql = "UPDATE pack SET held = ?2, bytes = bytes + ?3, bytes_total = ?4, recent_bytes = ?5, recent_ms = ?6, \
               piece_ms = ?7 WHERE audience = ?1";
    writing.connection().prepare_cached(sql)?.execute(params![
        audience.as_str(),
        held,
        bytes,
        piece.pack_bytes.cast_signed(),
        recent_bytes,
        recent_ms,
        writing.now_ms
    ])?;
    Ok(held)
}

fn fading(value: i64) -> i64 {
    value - value / 8
}

/// The segment whose blob is whole now; `None` when it is not what its seal says.
fn whole(
    connection: &Connection,
    identity: &Identity,
    audience: &AudienceName,
    seal: &Seal,
) -> Result<Option<Whole>, Error> {
    let mut statement = connection.prepare_cached("SELECT bytes FROM piece WHERE audience = ?1 ORDER BY at")?;
    let mut pieces = statement.query([audience.as_str()])?;
    let mut blob = Vec::with_capacity(seal.bytes as usize);
    while let Some(row) = pieces.next()? {
        blob.extend_from_slice(row.get_ref(0)?.as_blob().unwrap_or_default());
    }
    if pack::blob_digest(&blob) != seal.blob {
        return Ok(None);
    }
    let maker = Maker { key: identity.server.key, epoch: identity.epoch };
    let role = identity.role();
    let received =
        pack::expand(&blob).and_then(|plain| Received::read(&plain, &maker, |kind| fold::is_shown_first(kind, role)));
    let agrees = |received: &Received| {
        (received.records.len() as u64, received.changes()) == (u64::from(seal.records), u64::from(seal.changes))
    };
    Ok(received.ok().filter(agrees).map(|received| Whole { maker, received, blob }))
}

/// The segment under way is in; the next one begins.
fn advance(connection: &Connection, audience: &AudienceName, seal: &Seal) -> Result<(), Error> {
    connection.prepare_cached("DELETE FROM piece WHERE audience = ?1")?.execute([audience.as_str()])?;
    let sql = "UPDATE pack SET segment = segment + 1, held = 0, seal = x'', records = records + ?2 WHERE audience = ?1";
    connection.prepare_cached(sql)?.execute(params![audience.as_str(), seal.records])?;
    Ok(())
}

/// The segment under way is damaged: it comes again from its start.
fn forget_segment(connection: &Connection, audience: &AudienceName) -> Result<(), Error> {
    connection.prepare_cached("DELETE FROM piece WHERE audience = ?1")?.execute([audience.as_str()])?;
    let sql = "UPDATE pack SET bytes = bytes - held, held = 0, seal = x'' WHERE audience = ?1";
    connection.prepare_cached(sql)?.execute([audience.as_str()])?;
    Ok(())
}

/// Forgets what is here of every segment under way.
pub(super) fn forget_pieces(connection: &Connection) -> Result<(), Error> {
    connection.prepare_cached("DELETE FROM piece")?.execute([])?;
    connection.prepare_cached("UPDATE pack SET bytes = bytes - held, held = 0, seal = x''")?.execute([])?;
    Ok(())
}

/// The audience is filled, or left: no pack of it is under way.
pub(super) fn end(connection: &Connection, audience: &AudienceName) -> Result<(), Error> {
    for sql in ["DELETE FROM piece WHERE audience = ?1", "DELETE FROM pack WHERE audience = ?1"] {
        connection.prepare_cached(sql)?.execute([audience.as_str()])?;
    }
    Ok(())
}

/// The pack under way, if there is one, is the server's no more: what came of it is forgotten. What somebody has worked
/// on since stays, until the audience's new content says whether it is still there.
pub(super) fn forget(writing: &mut Writing<'_>, audience: &AudienceName) -> Result<(), Error> {
    if under_way(writing.connection(), audience)?.is_none() {
        return Ok(());
    }
    end(writing.connection(), audience)?;
    fold::unfold_audience(writing.connection(), audience)?;
    let sql = "SELECT kind, id, case_id, generation FROM holding JOIN record ON record.row = holding.record \
               WHERE holding.audience = ?1 AND record.received > 0";
    let mut statement = writing.connection().prepare_cached(sql)?;
    let received = statement.query_map([audience.as_str()], |row| rows::record_ref(row, 0))?;
    let received = received.collect::<Result<Vec<_>, _>>()?;
    drop(statement);
    for record in received {
        leave::record(writing, audience, &record.key)?;
    }
    let sql = "DELETE FROM holding WHERE audience = ?1";
    writing.connection().prepare_cached(sql)?.execute([audience.as_str()])?;
    Ok(())
}

fn under_way(connection: &Connection, audience: &AudienceName) -> Result<Option<Under>, Error> {
    let sql = "SELECT id, segment, held, seal, piece_ms, recent_bytes, recent_ms FROM pack WHERE audience = ?1";
    let mut statement = connection.prepare_cached(sql)?;
    let found = statement.query_row([audience.as_str()], |row| {
        let seal = (PackId(rows::array(row, 0)?), row.get(1)?, row.get(2)?, row.get::<_, Vec<u8>>(3)?);
        Ok((seal, row.get(4)?, row.get(5)?, row.get(6)?))
    });
    let Some(((id, segment, held, seal), piece_ms, recent_bytes, recent_ms)) = found.optional()? else {
        return Ok(None);
    };
    let seal = if seal.is_empty() { None } else { Some(from_cbor("seal", &seal).map_err(|_| DAMAGED)?) };
    Ok(Some(Under { id, segment, held, seal, piece_ms, recent_bytes, recent_ms }))
}

const DAMAGED: Error = Error::Corrupt { set_aside: None };
