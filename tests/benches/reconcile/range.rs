//! Ranges of fingerprints: the other way to find what differs between two sets, as negentropy goes it.
//!
//! Both sides hold their items in order. A side says the fingerprint of a range; where the other's is another, it says those
//! of sixteen parts of it, or, where it holds few items there, the items. Who is told items says with one bit for each whether
//! it lacks it. Items and fingerprints are 8 bytes under a salt, bounds as short as tells them apart, and how a range goes on
//! stands in the byte of its bound's length: as little as this way can do with.

use foras_wire::reconcile::coded::Short;

/// Parts of a range that differs.
const PARTS: usize = 16;
/// Items of a range that are rather said than split.
const ITEMS_MAX: usize = 2 * PARTS;

/// What is said of the items from the last range's end to `end`.
struct Range {
    /// The first item that is beyond; `None`: all.
    end: Option<u64>,
    says: Says,
}

enum Says {
    /// Nothing more is to be said.
    Done,
    Fingerprint(u64),
    Items(Vec<u64>),
    /// One bit for each item that was said.
    Lacks(Vec<bool>),
}

/// One message.
pub(super) struct Message(Vec<Range>);

impl Message {
    /// Whether it says anything.
    fn says(&self) -> bool {
        self.0.iter().any(|range| !matches!(range.says, Says::Done))
    }

    /// Bytes that it takes to say it; ranges that are done up to the end are not said.
    fn bytes(&self) -> usize {
        let said = self.0.iter().rposition(|range| !matches!(range.says, Says::Done)).map_or(0, |last| last + 1);
        let mut before = 0_u64;
        let mut bytes = 0;
        for range in self.0.iter().take(said) {
            bytes += 1 + range.end.map_or(0, |end| prefix_bytes(before, end));
            before = range.end.unwrap_or(u64::MAX);
            bytes += match &range.says {
                Says::Done => 0,
                Says::Fingerprint(_) => 8,
                Says::Items(items) => 1 + items.len() * 8,
                Says::Lacks(bits) => bits.len().div_ceil(8),
            };
        }
        bytes
    }
}

/// Bytes of a bound that lies above `before`: a prefix of `end` that does.
fn prefix_bytes(before: u64, end: u64) -> usize {
    (before ^ end).leading_zeros() as usize / 8 + 1
}

/// A side's items, in order, and the sums of the first of them.
pub(super) struct Side {
    items: Vec<u64>,
    sums: Vec<u64>,
    /// Items that the other side alone holds.
    pub(super) lacking: Vec<u64>,
    /// Items that this side alone holds.
    pub(super) alone: Vec<u64>,
    /// What this side said of its items and was not answered yet.
    said: Vec<Vec<u64>>,
}

impl Side {
    pub(super) fn of(shorts: impl Iterator<Item = Short>) -> Self {
        let mut items: Vec<u64> = shorts.map(|short| short.0).collect();
        items.sort_unstable();
        let mut sum = 0_u64;
        let sums = std::iter::once(0).chain(items.iter().map(|item| {
            sum = sum.wrapping_add(*item);
            sum
        }));
        let sums = sums.collect();
        Self { items, sums, lacking: Vec::new(), alone: Vec::new(), said: Vec::new() }
    }

    /// The first message.
    pub(super) fn opening(&mut self) -> Message {
        let mut ranges = Vec::new();
        self.go_into(0, self.items.len(), None, &mut ranges);
        self.sent(ranges)
    }

    /// What is said to `message`.
    pub(super) fn answer(&mut self, message: Message) -> Message {
        let mut ranges: Vec<Range> = Vec::new();
        let mut from = 0;
        let mut said = std::mem::take(&mut self.said).into_iter();
        for Range { end, says } in message.0 {
            let to = end.map_or(self.items.len(), |end| self.items.partition_point(|item| *item < end));
            match says {
                Says::Fingerprint(theirs) if theirs != self.fingerprint(from, to) => {
                    self.go_into(from, to, end, &mut ranges);
                }
                Says::Items(theirs) => {
                    let ours = self.items.get(from..to).unwrap_or_default();
                    let lacks: Vec<bool> = theirs.iter().map(|item| ours.binary_search(item).is_err()).collect();
                    self.alone.extend(ours.iter().filter(|item| theirs.binary_search(item).is_err()));
                    self.lacking.extend(theirs.iter().zip(&lacks).filter(|(_, lacks)| **lacks).map(|(item, _)| item));
                    ranges.push(Range { end, says: Says::Lacks(lacks) });
                }
                Says::Lacks(bits) => {
                    let items = said.next().unwrap_or_default();
                    self.alone.extend(items.into_iter().zip(bits).filter(|(_, lacks)| *lacks).map(|(item, _)| item));
                    done(&mut ranges, end);
                }
                Says::Fingerprint(_) | Says::Done => done(&mut ranges, end),
            }
            from = to;
        }
        self.sent(ranges)
    }

    /// Says more of a range that differs.
    fn go_into(&self, from: usize, to: usize, end: Option<u64>, ranges: &mut Vec<Range>) {
        if to - from < ITEMS_MAX {
            let items = self.items.get(from..to).unwrap_or_default().to_vec();
            ranges.push(Range { end, says: Says::Items(items) });
            return;
        }
        let mut first = from;
        for part in 1..=PARTS {
            let last = from + (to - from) * part / PARTS;
            let end = if part == PARTS { end } else { self.items.get(last).copied() };
            ranges.push(Range { end, says: Says::Fingerprint(self.fingerprint(first, last)) });
            first = last;
        }
    }

    fn fingerprint(&self, from: usize, to: usize) -> u64 {
        let sum = |at: usize| self.sums.get(at).copied().unwrap_or_default();
        sum(to).wrapping_sub(sum(from))
    }

    fn sent(&mut self, ranges: Vec<Range>) -> Message {
        let items = |range: &Range| if let Says::Items(items) = &range.says { Some(items.clone()) } else { None };
        self.said = ranges.iter().filter_map(items).collect();
        Message(ranges)
    }
}

/// Nothing more is to be said up to `end`.
fn done(ranges: &mut Vec<Range>, end: Option<u64>) {
    match ranges.last_mut() {
        Some(Range { end: last, says: Says::Done }) => *last = end,
        _ => ranges.push(Range { end, says: Says::Done }),
    }
}

/// What finding out took.
pub(super) struct Took {
    pub(super) bytes: usize,
    pub(super) rounds: usize,
}

/// Lets both sides find out what differs, `asking` first. A round is a request and its answer.
pub(super) fn reconcile(asking: &mut Side, asked: &mut Side) -> Took {
    let (mut bytes, mut rounds) = (0, 0);
    let mut message = asking.opening();
    while message.says() {
        bytes += message.bytes();
        rounds += 1;
        let answer = asked.answer(message);
        bytes += answer.bytes();
        message = asking.answer(answer);
    }
    Took { bytes, rounds }
}
