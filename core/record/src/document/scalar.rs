//! Between automerge's scalars and ours.

use automerge::{ObjType, ScalarValue};
use foras_wire::id::Actor;

use crate::value::Value;

pub(super) fn to_automerge(value: &Value) -> ScalarValue {
    match value {
        Value::Null => ScalarValue::Null,
        Value::Flag(flag) => ScalarValue::Boolean(*flag),
        Value::Int(number) => ScalarValue::Int(*number),
        Value::Text(text) => ScalarValue::Str(text.as_str().into()),
    }
}

/// Our value of a scalar. Scalars that no version of ours writes become a text that names their type, so that two
/// documents that differ in one of them still differ in content.
pub(super) fn of_automerge(value: &automerge::Value<'_>) -> Value {
    match value {
        automerge::Value::Scalar(scalar) => match scalar.as_ref() {
            ScalarValue::Null => Value::Null,
            ScalarValue::Boolean(flag) => Value::Flag(*flag),
            ScalarValue::Int(number) => Value::Int(*number),
            ScalarValue::Str(text) => Value::Text(text.to_string()),
            other => Value::Text(format!("\u{0}{other:?}")),
        },
        automerge::Value::Object(kind) => Value::Text(format!("\u{0}{}", object_name(*kind))),
    }
}

fn object_name(kind: ObjType) -> &'static str {
    match kind {
        ObjType::Map => "map",
        ObjType::Table => "table",
        ObjType::List => "list",
        ObjType::Text => "text",
    }
}

/// Counter and actor of an operation; `None` for the root.
pub(super) fn op_of(id: &automerge::ObjId) -> Option<(u64, Actor)> {
    match id {
        automerge::ObjId::Root => None,
        automerge::ObjId::Id(counter, actor, _) => Some((*counter, actor_of(actor))),
    }
}

/// Actors of ours have 16 bytes; admission lets in no others.
pub(super) fn actor_of(actor: &automerge::ActorId) -> Actor {
    Actor::from_slice(actor.to_bytes()).unwrap_or(Actor([0; 16]))
}
