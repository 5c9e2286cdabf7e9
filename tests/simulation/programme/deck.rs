//! What befalls a programme comes from a shuffled deck, a card a day: each kind comes, and in no order.

use super::Programme;

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

/// A deck lies under a programme of 200 device-days about twice.
const DECK: [Card; 16] = [
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
    Card::ServerPutBack,
];

impl Programme {
    pub(crate) fn draw(&mut self) -> Card {
        if self.deck.is_empty() {
            self.deck = self.shuffled(&DECK);
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
