//! First syncs, admitted in turn: a whole point that starts cold at once must not take the server from those who work.
//!
//! A long catch-up takes a place until its answer has left, or for [`PLACE_S`] at most. Who finds none is told when to come
//! again, and keeps its rank in the queue until well after that. Whoever is due goes before whoever came later, so none
//! starves; a free place that nobody due wants is given to whoever asks.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use foras_wire::id::DeviceId;
use foras_wire::turn::Turn;

use crate::storage::locked;

/// Entries of logs from which on a catch-up is a long one.
pub(super) const LONG_ENTRIES: u64 = 5_000;
/// Long catch-ups that are answered at a time.
pub(super) const PLACES: usize = 8;
/// How long a place is held at most, in seconds: a phone on a slow network does not keep all others waiting.
const PLACE_S: u64 = 60;
/// How long a device's rank is kept after it should have come again, in seconds.
const LATE_S: u64 = 30;
/// Shortest and longest time after which to come again, in seconds.
const AFTER_S: (u64, u64) = (1, 120);

/// The queue of first syncs.
#[derive(Debug)]
pub(super) struct FirstSyncs {
    places: usize,
    long_entries: u64,
    queue: Mutex<Queue>,
}

#[derive(Debug, Default)]
struct Queue {
    /// Who has a place, and since when.
    active: BTreeMap<u64, Instant>,
    /// Who waits, by rank, and when it should come again.
    waiting: BTreeMap<u64, (DeviceId, Instant)>,
    ranks: BTreeMap<DeviceId, u64>,
    last: u64,
    /// How long a place is held, in milliseconds: a moving average.
    held_ms: u64,
}

/// A place, until dropped.
#[derive(Debug)]
pub(super) struct Place {
    number: u64,
    first: Arc<FirstSyncs>,
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut queue = locked(&self.first.queue);
        if let Some(since) = queue.active.remove(&self.number) {
            let held_ms = u64::try_from(since.elapsed().as_millis()).unwrap_or(u64::MAX).min(PLACE_S * 1_000);
            queue.held_ms = (queue.held_ms * 7 + held_ms) / 8;
        }
    }
}

impl FirstSyncs {
    pub(super) fn new(places: usize, long_entries: u64) -> Arc<Self> {
        let queue = Mutex::new(Queue { held_ms: 2_000, ..Queue::default() });
        Arc::new(Self { places: places.max(1), long_entries, queue })
    }

    /// Asks for a place for a catch-up of so many entries; `Ok(None)`: it is short and needs none.
    ///
    /// # Errors
    /// When to come again.
    pub(super) fn ask(self: &Arc<Self>, device: DeviceId, entries: u64, now: Instant) -> Result<Option<Place>, Turn> {
        let mut queue = locked(&self.queue);
        if entries < self.long_entries {
            queue.leave(&device);
            return Ok(None);
        }
        queue.tidy(now);
        let rank = queue.rank(device);
        let before = queue.waiting.range(..rank);
        let due_before = before.filter(|(_, (_, due))| *due <= now).count();
        if queue.active.len() + due_before < self.places {
            queue.leave(&device);
            queue.last += 1;
            let number = queue.last;
            queue.active.insert(number, now);
            return Ok(Some(Place { number, first: Arc::clone(self) }));
        }
        let ahead = queue.waiting.range(..rank).count();
        // Everybody ahead and this one, a roundful of places at a time.
        let rounds = ahead as u64 / self.places as u64 + 1;
        let after_s = (rounds * queue.held_ms).div_ceil(1_000).clamp(AFTER_S.0, AFTER_S.1);
        queue.waiting.insert(rank, (device, now + Duration::from_secs(after_s)));
        Err(Turn { after_s: after_s as u32, ahead: u32::try_from(ahead).unwrap_or(u32::MAX) })
    }
}

impl Queue {
    /// The device's rank: the one that it has, or the next.
    fn rank(&mut self, device: DeviceId) -> u64 {
        self.last += 1;
        *self.ranks.entry(device).or_insert(self.last)
    }

    fn leave(&mut self, device: &DeviceId) {
        if let Some(rank) = self.ranks.remove(device) {
            self.waiting.remove(&rank);
        }
    }

    /// Takes back places that were held for too long, and ranks of devices that did not come again.
    fn tidy(&mut self, now: Instant) {
        self.active.retain(|_, since| now.saturating_duration_since(*since) < Duration::from_secs(PLACE_S));
        let late = Duration::from_secs(LATE_S);
        let gone = |(device, due): &(DeviceId, Instant)| (now > *due + late).then_some(*device);
        let gone: Vec<_> = self.waiting.values().filter_map(gone).collect();
        for device in gone {
            self.leave(&device);
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn device(number: u8) -> DeviceId {
        DeviceId([number; 16])
    }

    #[test]
    fn two_hundred_phones_that_start_cold_at_once_all_get_their_turn_and_never_too_many_at_once() {
        let first = FirstSyncs::new(8, 100);
        let begin = Instant::now();
        let (mut come, mut places, mut served) = (BTreeMap::new(), Vec::new(), Vec::new());
        for phone in 0..200_u8 {
            come.insert((begin, phone), ());
        }
        let mut asked = 0;
        while let Some(((now, phone), ())) = come.pop_first() {
            asked += 1;
            // A place is held for a second and a half.
            places.retain(|(until, _): &(Instant, Place)| *until > now);
            match first.ask(device(phone), 20_000, now) {
                Ok(place) => {
                    places.push((now + Duration::from_millis(1_500), place.unwrap()));
                    served.push(phone);
                }
                Err(turn) => {
                    assert!(turn.after_s <= 120);
                    // As phones do: up to a quarter later than told.
                    let jitter = Duration::from_millis(u64::from(turn.after_s) * u64::from(phone % 50) * 5);
                    come.insert((now + Duration::from_secs(turn.after_s.into()) + jitter, phone), ());
                }
            }
            assert!(places.len() <= 8);
            assert!(asked < 3_000, "phones come again and again");
        }
        served.sort_unstable();
        assert_eq!(served, (0..200).collect::<Vec<_>>());
        assert!(locked(&first.queue).waiting.is_empty() && locked(&first.queue).ranks.is_empty());
    }

    #[test]
    fn who_is_due_goes_before_who_came_later_and_a_short_catch_up_before_all() {
        let first = FirstSyncs::new(1, 100);
        let now = Instant::now();
        let held = first.ask(device(1), 20_000, now).unwrap().unwrap();
        let turn = first.ask(device(2), 20_000, now).unwrap_err();
        assert_eq!(turn.ahead, 0);
        assert!(first.ask(device(3), 99, now).unwrap().is_none(), "300 edits wait for nobody");
        drop(held);
        let due = now + Duration::from_secs(turn.after_s.into());
        assert_eq!(first.ask(device(4), 20_000, due).unwrap_err().ahead, 1, "the second is due");
        assert!(first.ask(device(2), 20_000, due).is_ok());
    }

    #[test]
    fn a_place_that_is_held_for_ever_and_a_rank_that_nobody_uses_are_taken_back() {
        let first = FirstSyncs::new(1, 100);
        let now = Instant::now();
        let _slow = first.ask(device(1), 20_000, now).unwrap();
        let turn = first.ask(device(2), 20_000, now).unwrap_err();
        let later = now + Duration::from_secs(u64::from(turn.after_s) + LATE_S + PLACE_S);
        assert!(first.ask(device(3), 20_000, later).is_ok());
    }
}
