//! One request in flight: what its answer may say, and in which order.
//!
//! Order of an answer: welcome, acknowledgements, those of deposits, those of carried pushes, differences, pieces of packs
//! and pages, heads. Frames of newer builds may stand anywhere and are skipped. An acknowledgement names a push of this
//! request, once; a difference was asked for; a page continues exactly at the device's cursor; a piece comes only where that
//! is 0. Anything else is a [`Violation`]: the answer is left, and nothing of that frame is kept.

use std::collections::BTreeSet;

use foras_wire::id::RecordId;
use foras_wire::pack::Piece;
use foras_wire::page::Page;
use foras_wire::reconcile::{Combined, Difference, DifferenceState};
use foras_wire::sync::{Acks, AnswerFrame, DepositAck, Heads, Refusal, SyncRequest, Welcome};
use foras_wire::turn::Turn;
use foras_wire::version::ProtocolRange;

use crate::effect::{Effect, Summary};
use crate::work::{Fate, Settlement, Work};

/// A frame that an answer may not hold here. The text says what is wrong with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the answer breaks the protocol: {0}")]
pub struct Violation(pub &'static str);

/// How far an answer has come. It only goes forward.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Stage {
    Asked,
    Welcomed,
    Settling,
    SettlingDeposits,
    SettlingCarried,
    Comparing,
    Paging,
}

/// What must be told before the next frame is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Awaited {
    Nothing,
    Grant,
    Piece { audience: usize },
    Page { audience: usize, to: u64 },
    Difference { audience: usize },
}

/// What a frame leads to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// Perform these and read on.
    Go(Vec<Effect>),
    /// The server was restored from a backup: its positions are not the device's any more. Perform this and ask anew.
    NewEpoch(Effect),
    /// The answer is complete.
    Complete {
        /// Whether the logs reach further than this answer.
        more: bool,
        /// Server's time in milliseconds since 1970.
        now_ms: i64,
        /// The digest of the server's copies, where it told it.
        digest: Option<Combined>,
    },
    /// The request was refused as a whole.
    Refused(Refusal),
    /// What was handed in is dealt with; pages come when the device asks again.
    Wait(Turn),
    /// A log ends before the device's cursor: the server lost what it had given.
    WentBack,
}

/// One request in flight.
#[derive(Debug, Clone)]
pub struct Exchange {
    stage: Stage,
    awaited: Awaited,
    epoch: u64,
    now_ms: i64,
    /// Outbox rows of each push; taken when it is acknowledged.
    rows: Vec<Option<Vec<u64>>>,
    /// Rows of each carried push, in the same way.
    carried: Vec<Option<Vec<u64>>>,
    deposits: BTreeSet<RecordId>,
    cursors: Vec<u64>,
    /// Whether the request takes packs.
    packs: bool,
    /// Something that others wrote stays for another time.
    left_carried: bool,
    /// Audiences whose copies the request asks to compare: their cursors say nothing until that is decided.
    comparing: BTreeSet<usize>,
    offered: bool,
    /// What this exchange did.
    pub done: Summary,
}

impl Exchange {
    /// Turns `work` into a request, and what remembers it.
    #[must_use]
    pub fn open(work: Work) -> (SyncRequest, Self) {
        let (pushes, rows): (Vec<_>, Vec<_>) = work.pushes.into_iter().map(|out| (out.push, Some(out.rows))).unzip();
        let (carried, carried_rows): (Vec<_>, Vec<_>) =
            work.carried.into_iter().map(|out| (out.carried, Some(out.rows))).unzip();
        let exchange = Self {
            stage: Stage::Asked,
            awaited: Awaited::Nothing,
            epoch: work.epoch,
            now_ms: 0,
            rows,
            carried: carried_rows,
            deposits: work.deposits.iter().map(|deposit| deposit.id).collect(),
            cursors: work.cursors.clone(),
            packs: work.packs.is_some(),
            left_carried: false,
            comparing: work.reconcile.iter().flat_map(|all| &all.sketches).map(|one| one.audience.into()).collect(),
            offered: work.offers.is_some(),
            done: Summary { round_trips: 1, ..Summary::default() },
        };
        let request = SyncRequest {
            epoch: work.epoch,
            grant_revision: work.grant_revision,
            cursors: work.cursors,
            pushes,
            deposits: work.deposits,
            packs: work.packs,
            carried,
            reconcile: work.reconcile,
            offers: work.offers,
            plain: work.plain,
            ..SyncRequest::default()
        };
        (request, exchange)
    }

    /// Whether anything was settled or applied: then asking again at once goes forward.
    #[must_use]
    pub fn went_forward(&self) -> bool {
        self.done.sent > 0 || self.done.carried > 0 || self.done.refused > 0 || self.stage >= Stage::Comparing
    }

    /// Whether something that was handed in got no answer at all.
    #[must_use]
    pub fn is_owed_an_answer(&self) -> bool {
        let open = |rows: &[Option<Vec<u64>>]| rows.iter().any(Option::is_some);
        open(&self.rows) || open(&self.carried) || !self.deposits.is_empty()
    }

    /// Whether something that others wrote stays for another time.
    #[must_use]
    pub fn left_carried(&self) -> bool {
        self.left_carried
    }

    /// Takes one frame of the answer.
    ///
    /// # Errors
    /// [`Violation`] when the frame may not stand here.
    pub fn frame(&mut self, frame: AnswerFrame) -> Result<Step, Violation> {
        if self.awaited != Awaited::Nothing {
            return Err(Violation("a frame before the one before it was dealt with"));
        }
        match frame {
            AnswerFrame::Unknown(_) => Ok(Step::Go(Vec::new())),
            AnswerFrame::Refused(refusal) => Ok(Step::Refused(refusal)),
            AnswerFrame::Welcome(welcome) => self.welcome(welcome),
            AnswerFrame::Acks(acks) => self.acks(&acks).map(Step::Go),
            AnswerFrame::DepositAcks(acks) => self.deposit_acks(acks).map(Step::Go),
            AnswerFrame::Piece(piece) => self.piece(piece).map(Step::Go),
            AnswerFrame::CarriedAcks(acks) => self.carried_acks(&acks).map(Step::Go),
            AnswerFrame::Difference(difference) => self.difference(difference).map(Step::Go),
            AnswerFrame::Page(page) => self.page(page).map(Step::Go),
            AnswerFrame::Heads(heads) => self.heads(&heads),
            AnswerFrame::Turn(_) if self.stage == Stage::Asked => Err(Violation("frames in another order")),
            AnswerFrame::Turn(turn) => Ok(Step::Wait(turn)),
        }
    }

    /// The store keeps the new grant; these are its cursors.
    ///
    /// # Errors
    /// [`Violation`] when no grant was waited for.
    pub fn grant_accepted(&mut self, cursors: Vec<u64>) -> Result<(), Violation> {
        if self.awaited != Awaited::Grant {
            return Err(Violation("no grant was offered"));
        }
        (self.awaited, self.cursors) = (Awaited::Nothing, cursors);
        Ok(())
    }

    /// The store keeps the piece; with a pack's last one the audience's cursor is `cursor`.
    ///
    /// # Errors
    /// [`Violation`] when no piece was waited for.
    pub fn piece_kept(&mut self, cursor: Option<u64>, received: u32) -> Result<(), Violation> {
        let Awaited::Piece { audience } = self.awaited else { return Err(Violation("no piece was offered")) };
        if let (Some(at), Some(cursor)) = (self.cursors.get_mut(audience), cursor) {
            *at = cursor;
        }
        self.awaited = Awaited::Nothing;
        self.stage = Stage::Paging;
        self.done.received = self.done.received.saturating_add(received);
        Ok(())
    }

    /// The store applied the page.
    ///
    /// # Errors
    /// [`Violation`] when no page was waited for.
    pub fn page_applied(&mut self, received: u32) -> Result<(), Violation> {
        let Awaited::Page { audience, to } = self.awaited else { return Err(Violation("no page was offered")) };
        if let Some(cursor) = self.cursors.get_mut(audience) {
            *cursor = to;
        }
        self.awaited = Awaited::Nothing;
        self.stage = Stage::Paging;
        self.done.received = self.done.received.saturating_add(received);
        Ok(())
    }

    /// The store applied the difference.
    ///
    /// # Errors
    /// [`Violation`] when none was waited for.
    pub fn difference_applied(&mut self, received: u32, cursor: Option<u64>) -> Result<(), Violation> {
        let Awaited::Difference { audience } = self.awaited else { return Err(Violation("no difference was told")) };
        if let (Some(at), Some(reached)) = (self.cursors.get_mut(audience), cursor) {
            *at = reached;
            self.comparing.remove(&audience);
        }
        self.awaited = Awaited::Nothing;
        self.done.received = self.done.received.saturating_add(received);
        Ok(())
    }

    fn difference(&mut self, difference: Box<Difference>) -> Result<Vec<Effect>, Violation> {
        let audience = usize::from(difference.audience);
        let asked = match difference.state {
            DifferenceState::Answer => self.offered && audience < self.cursors.len(),
            _ => self.comparing.contains(&audience),
        };
        if !asked {
            return Err(Violation("a difference that nobody asked for"));
        }
        self.forward_to(Stage::Comparing)?;
        self.awaited = Awaited::Difference { audience };
        Ok(vec![Effect::ApplyDifference(difference)])
    }

    fn forward_to(&mut self, stage: Stage) -> Result<(), Violation> {
        if self.stage == Stage::Asked || self.stage > stage {
            return Err(Violation("frames in another order"));
        }
        self.stage = stage;
        Ok(())
    }

    fn welcome(&mut self, welcome: Welcome) -> Result<Step, Violation> {
        if self.stage != Stage::Asked {
            return Err(Violation("two welcomes"));
        }
        let ours = ProtocolRange::OURS;
        if !(ours.min..=ours.max).contains(&welcome.protocol) {
            return Err(Violation("another version of the protocol"));
        }
        (self.stage, self.now_ms) = (Stage::Welcomed, welcome.now_ms);
        let Welcome { epoch, now_ms, nonce, token, grant, .. } = welcome;
        let store = Effect::StoreWelcome { epoch, now_ms, nonce, token };
        if epoch != self.epoch {
            return Ok(Step::NewEpoch(store));
        }
        let Some(grant) = grant else { return Ok(Step::Go(vec![store])) };
        self.awaited = Awaited::Grant;
        Ok(Step::Go(vec![store, Effect::AcceptGrant(Box::new(grant))]))
    }

    fn acks(&mut self, acks: &Acks) -> Result<Vec<Effect>, Violation> {
        let fates = fates_of(&self.rows, acks)?;
        self.forward_to(Stage::Settling)?;
        for fate in &fates {
            let count = match fate {
                Fate::Durable | Fate::Quarantined { .. } => &mut self.done.sent,
                Fate::Refused { .. } | Fate::SetRefused => &mut self.done.refused,
                Fate::Kept => &mut self.done.kept,
            };
            *count = count.saturating_add(1);
        }
        Ok(vec![Effect::Settle(settlements(&mut self.rows, acks, fates))])
    }

    /// What others wrote is settled alike, but a change that the server cannot take yet makes nobody ask again: its
    /// author will.
    fn carried_acks(&mut self, acks: &Acks) -> Result<Vec<Effect>, Violation> {
        let fates = fates_of(&self.carried, acks)?;
        self.forward_to(Stage::SettlingCarried)?;
        let taken = fates.iter().filter(|fate| matches!(fate, Fate::Durable | Fate::Quarantined { .. })).count();
        self.left_carried |= fates.contains(&Fate::Kept);
        self.done.carried = self.done.carried.saturating_add(u32::try_from(taken).unwrap_or(u32::MAX));
        Ok(vec![Effect::SettleCarried(settlements(&mut self.carried, acks, fates))])
    }

    fn deposit_acks(&mut self, acks: Vec<DepositAck>) -> Result<Vec<Effect>, Violation> {
        let named: BTreeSet<_> = acks.iter().map(|ack| ack.id).collect();
        if named.len() != acks.len() || !named.is_subset(&self.deposits) {
            return Err(Violation("an acknowledgement of no deposit"));
        }
        self.forward_to(Stage::SettlingDeposits)?;
        self.deposits.retain(|id| !named.contains(id));
        for ack in &acks {
            let count = if ack.refused.is_none() { &mut self.done.sent } else { &mut self.done.refused };
            *count = count.saturating_add(1);
        }
        Ok(vec![Effect::SettleDeposits(acks)])
    }

    fn piece(&mut self, piece: Piece) -> Result<Vec<Effect>, Violation> {
        let audience = usize::from(piece.audience);
        if !self.packs || self.stage == Stage::Asked {
            return Err(Violation("a piece of a pack that was not asked for"));
        }
        if *self.cursors.get(audience).ok_or(Violation("a piece of no audience"))? != 0 {
            return Err(Violation("a piece of a pack for an audience that is under way"));
        }
        self.awaited = Awaited::Piece { audience };
        Ok(vec![Effect::KeepPiece(Box::new(piece))])
    }

    fn page(&mut self, page: Page) -> Result<Vec<Effect>, Violation> {
        let audience = usize::from(page.audience);
        let cursor = *self.cursors.get(audience).ok_or(Violation("a page of no audience"))?;
        if self.comparing.contains(&audience) {
            return Err(Violation("a page of an audience that is being compared"));
        }
        if page.from != cursor {
            return Err(Violation("a page that does not continue at the cursor"));
        }
        if page.count == 0 || page.from.checked_add(u64::from(page.count)).is_none() {
            return Err(Violation("a page of impossible length"));
        }
        if self.stage == Stage::Asked {
            return Err(Violation("frames in another order"));
        }
        self.awaited = Awaited::Page { audience, to: page.to() };
        Ok(vec![Effect::ApplyPage(Box::new(page))])
    }

    fn heads(&mut self, heads: &Heads) -> Result<Step, Violation> {
        if self.stage == Stage::Asked {
            return Err(Violation("frames in another order"));
        }
        if heads.heads.len() != self.cursors.len() {
            return Err(Violation("heads of other audiences"));
        }
        let decided =
            || heads.heads.iter().zip(&self.cursors).enumerate().filter(|(at, _)| !self.comparing.contains(at));
        if decided().any(|(_, (head, cursor))| head < cursor) {
            return Ok(Step::WentBack);
        }
        let behind = decided().any(|(_, (head, cursor))| head > cursor);
        let digest = heads.digest.filter(|_| self.comparing.is_empty());
        Ok(Step::Complete { more: heads.more || behind, now_ms: self.now_ms, digest })
    }
}

/// What became of each item of the push that `acks` names.
fn fates_of(rows: &[Option<Vec<u64>>], acks: &Acks) -> Result<Vec<Fate>, Violation> {
    let rows = rows.get(usize::from(acks.push)).and_then(Option::as_ref);
    let rows = rows.ok_or(Violation("an acknowledgement of no push"))?;
    let mut fates = vec![Fate::Durable; rows.len()];
    for exception in &acks.exceptions {
        let fate = usize::try_from(exception.item).ok().and_then(|item| fates.get_mut(item));
        *fate.ok_or(Violation("an acknowledgement of no item"))? = Fate::from(&exception.outcome);
    }
    Ok(fates)
}

/// The push was acknowledged: its rows are taken, and cannot be acknowledged again.
fn settlements(rows: &mut [Option<Vec<u64>>], acks: &Acks, fates: Vec<Fate>) -> Vec<Settlement> {
    let rows = rows.get_mut(usize::from(acks.push)).and_then(Option::take).unwrap_or_default();
    rows.into_iter().zip(fates).map(|(row, fate)| Settlement { row, fate }).collect()
}
