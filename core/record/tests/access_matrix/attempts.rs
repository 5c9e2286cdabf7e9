//! Changes as a device of any author could make them, with automerge itself.

use automerge::transaction::{CommitOptions, Transactable, Transaction};
use automerge::{ActorId, Automerge, ObjType, ROOT, ReadDoc, ScalarValue};
use foras_record::change::{self, ParsedChange};
use foras_record::document::{Document, Edit, Write};
use foras_record::field::{FieldRule, Shape, ValueType};
use foras_record::kind::Kind;
use foras_record::value::Value;
use foras_wire::id::Actor;

use crate::oracle::{Try, World};

const ITEM: &str = "00112233445566778899aabbccddeeff";
const HELD_ITEM: &str = "ffeeddccbbaa99887766554433221100";

/// A change, and the record as it stands before.
pub(crate) struct Attempt {
    pub(crate) before: Document,
    pub(crate) change: ParsedChange,
}

/// A value of this type; `other` gives a second one.
fn sample(kind: &ValueType, field: &str, other: bool) -> Value {
    let text = |one: &str, two: &str| Value::from(if other { two } else { one });
    match kind {
        ValueType::Name | ValueType::Line { .. } | ValueType::Prose { .. } if field != "ruling" => text("Awa", "Binta"),
        ValueType::Name | ValueType::Line { .. } | ValueType::Prose { .. } => text("1 valid", "2 void no_consent"),
        ValueType::Code(codes) => Value::from(codes[usize::from(other).min(codes.len() - 1)]),
        ValueType::Int { min, max } => Value::Int(if other { *min } else { *max }),
        ValueType::Date => text("2026-10-05", "2026-10-06"),
        ValueType::Instant => text("2026-10-05T08:00:00Z", "2026-10-06T08:00:00Z"),
        ValueType::Phone => text("+212600000001", "+212600000002"),
        ValueType::Language => text("fr", "bm"),
        ValueType::Country => text("ML", "GN"),
        ValueType::Point => text("oujda", "rabat"),
        ValueType::Id => text(ITEM, HELD_ITEM),
        ValueType::Flag => Value::Flag(!other),
        // A field that this build does not know makes it another text.
        ValueType::Event if other => Value::from(event(field).replacen('{', r#"{"new":1,"#, 1)),
        ValueType::Event => Value::from(event(field)),
    }
}

fn event(family: &str) -> &'static str {
    match family {
        "registered" => r#"{"point":"oujda","on":"2026-10-01"}"#,
        "transfer" => r#"{"to":"rabat"}"#,
        "stage" => r#"{"to":"closed"}"#,
        "consent" => r#"{"purpose":"photo","status":"given","form":"oral"}"#,
        "handover" => r#"{"step":"proposed","to":"ML"}"#,
        "departure" => r#"{"step":"planned","on":"2026-12-24"}"#,
        "join" => r#"{"other":"00112233445566778899aabbccddeeff","step":"join"}"#,
        _ => r#"{"items":["single parent"]}"#,
    }
}

/// What a record about nobody says of its place.
fn site(kind: Kind, world: World) -> Vec<(&'static str, &'static str)> {
    let mode = if world.at_distance { "virtual" } else { "on_site" };
    let all = match kind {
        Kind::Session => vec![("mode", mode), ("point", world.point), ("country", world.mission)],
        Kind::CountryNote => vec![("country", world.mission)],
        Kind::Feedback => vec![("point", world.point)],
        _ => Vec::new(),
    };
    all.into_iter().filter(|(_, value)| !value.is_empty()).collect()
}

/// The value to write, which leaves the record where it is.
fn value_in(world: World, kind: Kind, field: &FieldRule, other: bool) -> Value {
    let place = site(kind, world).into_iter().find(|(name, _)| *name == field.name);
    place.map_or_else(|| sample(&field.value, field.name, other), |(_, value)| Value::from(value))
}

fn key(field: &FieldRule, item: &str) -> String {
    let named = field.item.map(|item_type| match item_type {
        ValueType::Id => item.to_owned(),
        // Sets and texts by language: the item is a value of its own type.
        other => sample(&other, field.name, item == HELD_ITEM).as_text().unwrap().to_owned(),
    });
    field.key(named.as_deref())
}

fn scalar(value: &Value) -> ScalarValue {
    match value {
        Value::Null => ScalarValue::Null,
        Value::Flag(flag) => ScalarValue::Boolean(*flag),
        Value::Int(number) => ScalarValue::Int(*number),
        Value::Text(text) => ScalarValue::Str(text.as_str().into()),
    }
}

/// The record before: nothing when it is being created, else placed and with the field written once.
fn before(kind: Kind, field: &'static FieldRule, attempt: Try, world: World) -> Document {
    let mut before = Document::empty(kind);
    if attempt == Try::Create {
        return before;
    }
    let mut edits: Vec<Edit> = Vec::new();
    for (name, value) in site(kind, world) {
        edits.push(Edit::of(kind.rule().field(name).unwrap(), Write::Put(Value::from(value))));
    }
    let item = || key(field, HELD_ITEM).split_once('/').unwrap().1.to_owned();
    let write = match field.shape {
        Shape::One => Edit::of(field, Write::Put(value_in(world, kind, field, true))),
        Shape::Set => Edit::of(field, Write::Members([item()].into())),
        Shape::Text => Edit::of(field, Write::Text("Entretien".into())),
        Shape::PerItem | Shape::Events | Shape::Versions => {
            Edit::item(field, item(), Write::Put(sample(&field.value, field.name, true)))
        }
    };
    if !edits.iter().any(|edit| edit.field.name == field.name) {
        edits.push(write);
    }
    before.edit(Actor([1; 16]), 1_790_000_000, &edits).unwrap();
    before
}

/// The attempt on this field.
pub(crate) fn attempt(kind: Kind, field: &'static FieldRule, attempt: Try, world: World) -> Attempt {
    let before = before(kind, field, attempt, world);
    let mut doc = Automerge::load(&before.save()).unwrap();
    doc.set_actor(ActorId::from([2; 16]));
    let mut transaction = doc.transaction();
    let (fresh, held) = (key(field, ITEM), key(field, HELD_ITEM));
    let text = field.shape == Shape::Text;
    let value = value_in(world, kind, field, false);
    let stored = if field.shape == Shape::Set { Value::Flag(true) } else { value };
    if attempt == Try::Create {
        for (name, value) in site(kind, world) {
            transaction.put(ROOT, name, value).unwrap();
        }
    }
    match attempt {
        Try::Create | Try::Write | Try::Clear if text => {
            let (_, object) = transaction.get(ROOT, field.name).unwrap().unwrap();
            let (delete, insert) = if attempt == Try::Clear { (9, "") } else { (0, "Bon ") };
            transaction.splice_text(&object, 0, delete, insert).unwrap();
        }
        Try::Create | Try::Write => put(&mut transaction, &fresh, &scalar(&stored)),
        Try::Clear if field.shape == Shape::Set => transaction.put(ROOT, held, false).unwrap(),
        Try::Clear => transaction.put(ROOT, held, ScalarValue::Null).unwrap(),
        Try::Overwrite => put(&mut transaction, &held, &scalar(&stored)),
        Try::Delete => transaction.delete(ROOT, held).unwrap(),
        Try::Nest => drop(transaction.put_object(ROOT, fresh, ObjType::Map).unwrap()),
        Try::OtherType => transaction.put(ROOT, held, ScalarValue::Bytes(vec![1, 2, 3])).unwrap(),
    }
    let (hash, _) = transaction.commit_with(CommitOptions::default().with_time(1_790_000_001));
    let hash = hash.expect("the attempt writes something");
    let change = change::parse(doc.get_change_by_hash(&hash).unwrap().raw_bytes()).unwrap();
    Attempt { before, change }
}

/// Writes a value though it stands there already: automerge leaves out what changes nothing.
fn put(transaction: &mut Transaction<'_>, key: &str, value: &ScalarValue) {
    if transaction.get(ROOT, key).unwrap().is_some_and(|(held, _)| held.as_scalar() == Some(value)) {
        let between =
            if *value == ScalarValue::Boolean(true) { ScalarValue::Boolean(false) } else { ScalarValue::Null };
        transaction.put(ROOT, key, between).unwrap();
    }
    transaction.put(ROOT, key, value.clone()).unwrap();
}
