//! `catchup-bytes`: 300 edits down and 300 up, 100 of them on the same cases, in one sync; against JSON patches of both
//! under zstd-19.

use foras::phone::{Phone, Setting};
use foras_record::role::Role;
use foras_tests::world::chance::Chance;
use foras_wire::id::RecordId;
use serde_json::{Map, Value, json};

use crate::input::edits::{self, FieldEdit};
use crate::input::programme::{self, Programme};
use crate::measure::limit;
use crate::measure::outcome::{Outcome, rounded};
use crate::workload::Workload;

const GOAL: f64 = 1.6;
/// Edits each way, and how many of them meet on the same cases.
pub(crate) const EDITS: usize = 300;
const SHARED: usize = 100;
/// When the first edit was made, in seconds since 1970; each next one comes some minutes later.
const FIRST_S: i64 = 1_791_000_000;

/// What a catch-up is about: the cases that two people edit.
pub(crate) struct TwoSides {
    pub(crate) theirs: Vec<RecordId>,
    pub(crate) ours: Vec<RecordId>,
}

impl TwoSides {
    /// Cases of a programme. Where it has too few, some are edited several times.
    pub(crate) fn of(programme: &Programme, edits: usize) -> Self {
        let shared = edits * SHARED / EDITS;
        let drawn: Vec<RecordId> =
            (0..edits * 2 - shared).map(|_| *programme.chance.one_of(&programme.cases)).collect();
        let ours = drawn.iter().skip(edits - shared).copied().collect();
        Self { theirs: drawn.into_iter().take(edits).collect(), ours }
    }
}

/// Edits each of the cases once, so that each edit changes something; gives the edits.
pub(crate) fn edit(phone: &mut Phone, cases: &[RecordId], chance: &Chance) -> Vec<(RecordId, FieldEdit)> {
    let mut made = Vec::new();
    for case in cases {
        loop {
            let edit = edits::edit(chance);
            let setting = Setting::new(edit.field, edit.value.as_str());
            if phone.edit(&case.to_string(), &[setting]).expect("an edit").changed {
                made.push((*case, edit));
                break;
            }
        }
    }
    made
}

pub(crate) fn run(workload: &mut Workload) -> Outcome {
    let edits = EDITS.min(workload.cases() * 2);
    let programme = workload.programme().copy();
    let mut phone = programme.phone(Role::HostCounsellor);
    let mut colleague = programme.phone(Role::Outreach);
    programme::sync(&mut phone.phone);
    programme::sync(&mut colleague.phone);
    let numbers = programme::case_numbers(&phone.phone);
    let sides = TwoSides::of(&programme, edits);
    let theirs = edit(&mut colleague.phone, &sides.theirs, &programme.chance);
    programme::sync(&mut colleague.phone);
    let mine = edit(&mut phone.phone, &sides.ours, &programme.chance);
    let report = programme::sync(&mut phone.phone);
    let ours = report.bytes_up + report.bytes_down;
    let patches = |with_author: bool| {
        let theirs = theirs.iter().map(|edit| (edit, "Mouso T."));
        let mine = mine.iter().map(|edit| (edit, "Rama K."));
        let patches: Vec<Value> = theirs
            .chain(mine)
            .enumerate()
            .map(|(at, ((case, edit), by))| patch(numbers.get(case), edit, with_author.then_some((at, by))))
            .collect();
        limit::zstd_19(Value::Array(patches).to_string().as_bytes())
    };
    let (whole, bare) = (patches(true), patches(false));
    let mut outcome = Outcome::ratio("catchup-bytes", ours as f64, whole as f64, Some(GOAL));
    outcome.put("bytes_up", report.bytes_up).put("bytes_down", report.bytes_down);
    outcome.put("edits_each_way", edits).put("round_trips", report.round_trips).put("cases", workload.cases());
    outcome.put("limit_bare", bare).put("ratio_bare", rounded(ours as f64 / bare as f64));
    outcome.put("bytes_per_edit", rounded(ours as f64 / (edits * 2) as f64));
    outcome
}

/// One edit as a patch: case number, field, value, and where asked when and by whom.
fn patch(number: Option<&String>, edit: &FieldEdit, author: Option<(usize, &str)>) -> Value {
    let mut patch = Map::new();
    patch.insert("case".to_owned(), json!(number));
    patch.insert("field".to_owned(), edit.field.into());
    patch.insert("value".to_owned(), edits::value(edit));
    if let Some((at, by)) = author {
        patch.insert("at".to_owned(), (FIRST_S + 7 * i64::try_from(at).unwrap_or(0)).into());
        patch.insert("by".to_owned(), by.into());
    }
    Value::Object(patch)
}
