//! References to what never was, or belongs elsewhere.

use crate::change::forge::Forged;
use crate::change::{
    Actor, ChangeError, ChangeHash, Lineage, OpId, ParsedAction, ParsedChange, ParsedKey, ParsedObject, ParsedOp,
    ParsedScalar, parse,
};

const OUJDA: Actor = Actor([3; 16]);
const DAKAR: Actor = Actor([5; 16]);

fn id(counter: u64, actor: Actor) -> OpId {
    OpId { counter, actor }
}

fn op(object: ParsedObject, key: ParsedKey, action: ParsedAction, preds: &[OpId]) -> ParsedOp {
    ParsedOp { id: id(0, OUJDA), object, key, insert: false, action, preds: preds.to_vec() }
}

fn put(field: &str, preds: &[OpId]) -> ParsedOp {
    let value = ParsedAction::Put(ParsedScalar::Str("Awa".to_owned()));
    op(ParsedObject::Root, ParsedKey::Field(field.to_owned()), value, preds)
}

fn insert(text: OpId, after: ParsedKey) -> ParsedOp {
    let value = ParsedAction::Put(ParsedScalar::Str("A".to_owned()));
    ParsedOp { insert: true, ..op(ParsedObject::Object(text), after, value, &[]) }
}

fn change(actor: Actor, seq: u64, start_op: u64, deps: &[&ParsedChange], ops: &[ParsedOp]) -> ParsedChange {
    let mut forged = Forged::new(actor, seq, start_op).with_ops(ops);
    forged.deps = deps.iter().map(|dep| dep.hash).collect::<Vec<ChangeHash>>();
    forged.deps.sort();
    parse(&forged.chunk()).unwrap()
}

/// Oujda registered somebody and began two notes; then Dakar and Oujda, apart, each corrected the name.
struct Record {
    lineage: Lineage,
    first: ParsedChange,
    dakar: ParsedChange,
    oujda: ParsedChange,
}

fn record() -> Record {
    let text = |field: &str| op(ParsedObject::Root, ParsedKey::Field(field.to_owned()), ParsedAction::MakeText, &[]);
    let letter = insert(id(3, OUJDA), ParsedKey::Head);
    let first = change(OUJDA, 1, 1, &[], &[put("name", &[]), put("phone", &[]), text("note"), text("plan"), letter]);
    let dakar = change(DAKAR, 1, 6, &[&first], &[put("name", &[id(1, OUJDA)])]);
    let oujda = change(OUJDA, 2, 6, &[&first], &[put("name", &[id(1, OUJDA)])]);
    let mut lineage = Lineage::new();
    for known in [&first, &dakar, &oujda] {
        lineage.check(known).unwrap();
        lineage.add(known);
    }
    Record { lineage, first, dakar, oujda }
}

#[test]
fn what_one_builds_on_can_be_named() {
    let record = record();
    let both = [id(6, OUJDA), id(6, DAKAR)];
    let settled = change(OUJDA, 3, 7, &[&record.dakar, &record.oujda], &[put("name", &both)]);
    assert_eq!(record.lineage.check(&settled), Ok(()));
    let own = [
        insert(id(3, OUJDA), ParsedKey::Element(id(5, OUJDA))),
        insert(id(3, OUJDA), ParsedKey::Element(id(7, OUJDA))),
    ];
    assert_eq!(record.lineage.check(&change(OUJDA, 3, 7, &[&record.oujda], &own)), Ok(()));
}

#[test]
fn what_one_does_not_build_on_cannot() {
    let record = record();
    // Oujda's device has not yet heard of Dakar's correction, or says so.
    let unheard = change(OUJDA, 3, 7, &[&record.oujda], &[put("name", &[id(6, DAKAR)])]);
    assert_eq!(record.lineage.check(&unheard), Err(ChangeError::BadReference));
    let heard = change(OUJDA, 3, 7, &[&record.dakar, &record.oujda], &[put("name", &[id(6, DAKAR)])]);
    assert_eq!(record.lineage.check(&heard), Ok(()));
}

#[test]
fn references_lead_to_something_that_fits() {
    let record = record();
    let note = id(3, OUJDA);
    let elsewhere = ParsedObject::Object(note);
    let element = |counter| ParsedKey::Element(id(counter, OUJDA));
    let delete = |key, preds: &[OpId]| op(elsewhere, key, ParsedAction::Delete, preds);
    let lies = [
        ("a predecessor that never was", put("name", &[id(4, DAKAR)])),
        ("a predecessor of an unknown author", put("name", &[id(1, Actor([8; 16]))])),
        ("a predecessor in another field", put("phone", &[id(1, OUJDA)])),
        ("a text that is a value", insert(id(1, OUJDA), ParsedKey::Head)),
        ("a text that never was", insert(id(2, DAKAR), ParsedKey::Head)),
        ("a place that is no element", insert(note, element(1))),
        ("an element of another text", insert(id(4, OUJDA), element(5))),
        ("a field of a text", ParsedOp { object: elsewhere, ..put("name", &[]) }),
        ("a removal of another element", delete(element(5), &[id(1, OUJDA)])),
        ("a removal at no element", delete(element(3), &[id(5, OUJDA)])),
    ];
    for (lie, op) in lies {
        let change = change(OUJDA, 3, 7, &[&record.dakar, &record.oujda], &[op]);
        assert_eq!(record.lineage.check(&change), Err(ChangeError::BadReference), "{lie}");
    }
    let honest = change(OUJDA, 3, 7, &[&record.oujda], &[delete(element(5), &[id(5, OUJDA)])]);
    assert_eq!(record.lineage.check(&honest), Ok(()));
}

#[test]
fn what_was_removed_is_no_predecessor() {
    let mut record = record();
    let remove = op(ParsedObject::Root, ParsedKey::Field("phone".to_owned()), ParsedAction::Delete, &[id(2, OUJDA)]);
    let removed = change(OUJDA, 3, 7, &[&record.oujda], &[remove]);
    record.lineage.check(&removed).unwrap();
    record.lineage.add(&removed);
    let after = change(OUJDA, 4, 8, &[&removed], &[put("phone", &[id(7, OUJDA)])]);
    assert_eq!(record.lineage.check(&after), Err(ChangeError::BadReference));
}

#[test]
fn a_text_is_known_by_its_field() {
    let record = record();
    assert_eq!(record.first.ops.len(), 5);
    assert_eq!(record.lineage.field_of(&id(3, OUJDA)), Some("note"));
    assert_eq!(record.lineage.field_of(&id(4, OUJDA)), Some("plan"));
    assert_eq!(record.lineage.field_of(&id(1, OUJDA)), None, "a value");
    assert_eq!(record.lineage.field_of(&id(5, OUJDA)), None, "a letter");
    assert_eq!(record.lineage.field_of(&id(9, DAKAR)), None, "unknown");
}
