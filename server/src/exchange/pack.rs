//! Packs for audiences of which the device has nothing yet.

use std::collections::BTreeSet;

use foras_record::role::Role;
use foras_wire::pack::{PackProgress, Piece};
use foras_wire::sync::AnswerFrame;

use super::{Exchange, Sink, Withheld};
use crate::error::ServerError;
use crate::packs;
use crate::storage::packs::{PackRow, Shelf};

/// Bytes of packs after which an answer stops and says that there is more.
const ANSWER_BYTES: usize = 6 * 1024 * 1024;

/// The packs of one answer.
pub(super) struct Packing<'a> {
    exchange: &'a Exchange<'a>,
    /// By index in the grant: the pack that fills the audience, and how far the device has it.
    chosen: Vec<(usize, Shelf, PackRow, u32, u32)>,
}

impl<'a> Packing<'a> {
    /// Chooses a pack for every audience that stands at 0 and whose log is long.
    pub(super) fn choose(
        exchange: &'a Exchange<'a>,
        cursors: &[u64],
        withheld: &Withheld,
    ) -> Result<Self, ServerError> {
        let mut chosen = Vec::new();
        let Some(progress) = &exchange.request.packs else { return Ok(Self { exchange, chosen }) };
        let same_grant = exchange.request.grant_revision == exchange.caller.grant.revision;
        for (index, audience) in exchange.caller.grant.audiences.iter().enumerate() {
            if cursors.get(index) != Some(&0) || withheld.contains(index) {
                continue;
            }
            let own = |one: &&PackProgress| same_grant && usize::from(one.audience) == index;
            let own = progress.iter().find(own);
            let names = exchange.caller.grant.role != Role::Migrant.code();
            let shelf = Shelf { audience: audience.as_str().to_owned(), names, epoch: exchange.server.keys.epoch() };
            if let Some(pack) = packs::choose(exchange.server, &shelf, own.map(|own| &own.pack))? {
                let (segment, offset) =
                    own.filter(|own| own.pack == pack.id).map_or((0, 0), |own| (own.segment, own.offset));
                chosen.push((index, shelf, pack, segment, offset));
            }
        }
        Ok(Self { exchange, chosen })
    }

    /// Audiences that are filled by packs, by their index in the grant.
    pub(super) fn audiences(&self) -> BTreeSet<usize> {
        self.chosen.iter().map(|(index, ..)| *index).collect()
    }

    /// Sends pieces. Moves the cursors of audiences that are whole now, and gives those that are not; `None` when the
    /// receiver is gone.
    pub(super) fn give(
        &self,
        cursors: &mut [u64],
        sink: &mut Sink<'_>,
    ) -> Result<Option<BTreeSet<usize>>, ServerError> {
        let (mut behind, mut left) = (self.audiences(), ANSWER_BYTES);
        let piece_bytes = self.exchange.server.workshop.sizes().piece_bytes;
        for (index, shelf, pack, segment, offset) in &self.chosen {
            let (mut number, mut offset) = (*segment, *offset as usize);
            while number < pack.segments && left > 0 {
                let Some(made) = packs::segment(self.exchange.server, shelf, pack, number)? else { break };
                let seal = |offset| if offset == 0 { Some(made.seal.clone()) } else { None };
                while let Some(rest) = made.blob.get(offset..).filter(|rest| !rest.is_empty() && left > 0) {
                    let bytes = rest.get(..piece_bytes).unwrap_or(rest).to_vec();
                    let length = bytes.len();
                    let piece = Piece {
                        audience: u16::try_from(*index).unwrap_or(u16::MAX),
                        pack: pack.id,
                        segment: number,
                        offset: u32::try_from(offset).unwrap_or(u32::MAX),
                        bytes,
                        seal: seal(offset),
                        pack_bytes: made.pack_bytes,
                    };
                    if !sink(AnswerFrame::Piece(piece)) {
                        return Ok(None);
                    }
                    (offset, left) = (offset + length, left.saturating_sub(length));
                }
                if offset < made.blob.len() {
                    break;
                }
                (number, offset) = (number + 1, 0);
            }
            if number >= pack.segments {
                behind.remove(index);
                if let Some(cursor) = cursors.get_mut(*index) {
                    *cursor = pack.to;
                }
            }
        }
        Ok(Some(behind))
    }
}
