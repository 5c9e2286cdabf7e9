//! Admission, rehearsal included: whatever a change is, the record afterwards loads, replays and takes the next edit.

use foras_record::admission::{History, Verdict, admit};
use foras_record::change::forge::resealed;
use foras_record::change::{ParsedChange, parse};
use foras_record::kind::Kind;

use super::change::pushed;

/// Numbers of the kinds that are tried: an input's first byte chooses.
const KINDS: u16 = 16;

pub(super) fn seeds() -> Vec<Vec<u8>> {
    let of_kind = |item: &foras_wire::push::PushItem| item.record.key.kind.0.to_le_bytes()[0];
    pushed().into_iter().map(|item| [&[of_kind(&item)], item.chunk.as_slice()].concat()).collect()
}

/// A kind and a change: admitted to an empty record, and to one that holds the story's changes of that kind.
pub(super) fn run(bytes: &[u8]) {
    let Some((&code, chunk)) = bytes.split_first() else { return };
    let Some(kind) = Kind::of_code(foras_wire::record::KindCode(u16::from(code) % KINDS)) else { return };
    for chunk in [chunk.to_vec(), resealed(chunk)] {
        let Ok(change) = parse(&chunk) else { continue };
        let honest = honest_of(kind);
        let with_others: Vec<ParsedChange> = honest.iter().cloned().chain([change.clone()]).collect();
        let mut alone = History::new(kind);
        let mut among = History::new(kind);
        check(&mut alone, std::slice::from_ref(&change), 0);
        // Changes of other records of the kind may stand in one record's place here: what is asked is that they are
        // judged as they were judged before the hostile one came.
        let mut without = History::new(kind);
        let before = admit(&mut without, &honest, &|_, _, _| Ok(()));
        let admitted = before.iter().filter(|verdict| **verdict == Verdict::Admitted).count();
        check(&mut among, &with_others, admitted);
    }
}

fn honest_of(kind: Kind) -> Vec<ParsedChange> {
    let of_kind = pushed().into_iter().filter(|item| item.record.key.kind == kind.code());
    let first = of_kind.clone().next().map(|item| item.record.key.id);
    of_kind.filter(|item| Some(item.record.key.id) == first).filter_map(|item| parse(&item.chunk).ok()).collect()
}

/// Admits the batch; at least `honest` of it. What it holds afterwards is sound.
fn check(history: &mut History, batch: &[ParsedChange], honest: usize) {
    let verdicts = admit(history, batch, &|_, _, _| Ok(()));
    let admitted = verdicts.iter().filter(|verdict| **verdict == Verdict::Admitted).count();
    assert!(admitted >= honest, "a hostile change took an honest one with it: {verdicts:?}");
    assert_eq!(admitted, history.chunks().len());
    let replayed = History::restore(history.document().kind(), None, history.chunks().to_vec());
    let replayed = replayed.expect("what was admitted replays");
    assert_eq!(replayed.heads(), history.heads());
    assert!(replayed.document().content() == history.document().content(), "replayed content differs");
}
