//! The difference between two texts, as few splices.

use foras_wire::limits;

/// At `at`, delete so many characters, then insert. Positions are in code points, of the text as it then is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Splice {
    pub(super) at: usize,
    pub(super) delete: usize,
    pub(super) insert: String,
}

/// Above this many pairs of differing characters the differing middle is replaced whole: the exact difference takes
/// time and memory in proportion to the pairs.
const PAIRS_MAX: usize = 4_000_000;

/// The splices that turn `old` into `new`, in order: the longest common subsequence of what lies between the common
/// ends is kept, so that what others wrote around it keeps its place.
pub(super) fn splices(old: &str, new: &str) -> Vec<Splice> {
    let old: Vec<char> = old.chars().collect();
    let new: Vec<char> = new.chars().collect();
    let head = old.iter().zip(&new).take_while(|(a, b)| a == b).count();
    let (old, new) = (old.get(head..).unwrap_or_default(), new.get(head..).unwrap_or_default());
    let tail = old.iter().rev().zip(new.iter().rev()).take_while(|(a, b)| a == b).count();
    let old = old.get(..old.len() - tail).unwrap_or_default();
    let new = new.get(..new.len() - tail).unwrap_or_default();
    if old.is_empty() && new.is_empty() {
        return Vec::new();
    }
    if old.len().saturating_mul(new.len()) > PAIRS_MAX {
        return vec![Splice { at: head, delete: old.len(), insert: new.iter().collect() }];
    }
    difference(head, old, new)
}

/// Lengths of longest common subsequences of every pair of ends, by row. At most 65,535 characters fit the limits.
fn common_lengths(old: &[char], new: &[char]) -> Vec<Vec<u16>> {
    let mut rows = vec![vec![0_u16; new.len() + 1]];
    for a in old.iter().rev() {
        let below = rows.last().cloned().unwrap_or_default();
        let mut row = vec![0_u16; new.len() + 1];
        let mut right = 0;
        for (at, b) in new.iter().enumerate().rev() {
            let down = below.get(at).copied().unwrap_or(0);
            let across = below.get(at + 1).copied().unwrap_or(0);
            let length = if a == b { across.saturating_add(1) } else { down.max(right) };
            if let Some(cell) = row.get_mut(at) {
                *cell = length;
            }
            right = length;
        }
        rows.push(row);
    }
    rows.reverse();
    rows
}

fn difference(head: usize, old: &[char], new: &[char]) -> Vec<Splice> {
    let rows = common_lengths(old, new);
    let length = |row: usize, column: usize| rows.get(row).and_then(|row| row.get(column)).copied().unwrap_or(0);
    let mut splices: Vec<Splice> = Vec::new();
    let mut open = Splice { at: head, delete: 0, insert: String::new() };
    let (mut row, mut column, mut at) = (0, 0, head);
    loop {
        match (old.get(row), new.get(column)) {
            (Some(a), Some(b)) if a == b => {
                if open.delete > 0 || !open.insert.is_empty() {
                    splices.push(open);
                }
                at += 1;
                (row, column) = (row + 1, column + 1);
                open = Splice { at, delete: 0, insert: String::new() };
            }
            (Some(_), next) if next.is_none() || length(row + 1, column) >= length(row, column + 1) => {
                open.delete += 1;
                row += 1;
            }
            (_, Some(b)) => {
                open.insert.push(*b);
                at += 1;
                column += 1;
            }
            (_, None) => break,
        }
    }
    if open.delete > 0 || !open.insert.is_empty() {
        splices.push(open);
    }
    splices
}

/// The texts to write one after the other, each as a change of its own, to come from `old` to `new`: one change holds
/// at most [`limits::CHANGE_OPS_MAX`] characters, deleted and inserted together, beside `reserved` other operations.
/// The last is `new`; nothing where the two are equal.
#[must_use]
pub fn text_steps(old: &str, new: &str, reserved: usize) -> Vec<String> {
    let room = usize::try_from(limits::CHANGE_OPS_MAX).unwrap_or(usize::MAX).saturating_sub(reserved).max(1);
    let mut steps = Vec::new();
    let mut text: Vec<char> = old.chars().collect();
    let mut used = 0;
    for splice in splices(old, new) {
        let mut at = splice.at;
        for _ in 0..splice.delete {
            if used == room {
                steps.push(text.iter().collect());
                used = 0;
            }
            text.remove(at);
            used += 1;
        }
        for char in splice.insert.chars() {
            if used == room {
                steps.push(text.iter().collect());
                used = 0;
            }
            text.insert(at, char);
            at += 1;
            used += 1;
        }
    }
    if used > 0 {
        steps.push(text.into_iter().collect());
    }
    steps
}
