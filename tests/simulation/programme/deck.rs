//! What befalls a programme comes from a shuffled deck, a card a day: each kind comes, and in no order.

use super::Programme;
use super::fall::Fall;

/// What befalls somebody on one day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Card {
    ClockAhead,
    ClockBehind,
    Backup,
    Restore,
    Clone,
    Lost,
    Left,
    RevokedInSync,
    SetOut,
    InvitePerson,
    Meet,
    MeetingCut,
    File,
    ServerPutBack,
}

/// A programme of 200 device-days goes through it about twice.
const DECK: [Card; 15] = [
    Card::ClockAhead,
    Card::ClockBehind,
    Card::Backup,
    Card::Restore,
    Card::Restore,
    Card::Clone,
    Card::Lost,
    Card::Left,
    Card::RevokedInSync,
    Card::SetOut,
    Card::InvitePerson,
    Card::Meet,
    Card::Meet,
    Card::MeetingCut,
    Card::File,
];
/// The server falls within the first days of a programme.
const FALL_WITHIN: usize = 5;

impl Programme {
    pub(crate) fn draw(&mut self) -> Card {
        if self.deck.is_empty() {
            self.deck = self.shuffled(&DECK);
            if matches!(self.fall, Fall::Ahead) {
                let at = DECK.len() - self.chance.below(FALL_WITHIN);
                self.deck.insert(at, Card::ServerPutBack);
            }
        }
        self.deck.pop().unwrap_or(Card::Backup)
    }

    /// The card comes again when the others of the deck are through.
    pub(crate) fn put_off(&mut self, card: Card) {
        self.deck.insert(0, card);
    }

    pub(crate) fn shuffled<T: Copy>(&self, all: &[T]) -> Vec<T> {
        let mut left = all.to_vec();
        let mut shuffled = Vec::new();
        while !left.is_empty() {
            shuffled.push(left.swap_remove(self.chance.below(left.len())));
        }
        shuffled
    }
}
