//! Operations: values at fields of the root, and characters of texts. Others travel in their chunk.

use std::rc::Rc;

use foras_wire::id::{Actor, RecordId};
use foras_wire::limits::{CHANGE_OPS_MAX, CHANGE_PREDS_MAX};

use super::columns::{Column, FieldStream, Reader, Writer};
use super::keys::{self, KeyOf, KeyRead};
use super::outline::Outline;
use super::told::Told;
use super::{PackedError, actors, fields};
use crate::change::{OpId, ParsedAction, ParsedKey, ParsedObject, ParsedOp, ParsedScalar};
use crate::document;
use crate::kind::Kind;

/// What an operation does. Below [`code::FIELD_DELETE`]: it puts a value of that code ([`fields::value`]) at a field.
pub(super) mod code {
    pub(in crate::packed) const FIELD_DELETE: u8 = 7;
    /// A character behind the one of the operation before.
    pub(in crate::packed) const NEXT_INSERT: u8 = 8;
    /// A character, with the place that it stands behind.
    pub(in crate::packed) const INSERT: u8 = 9;
    /// The character whose counter follows the one of the operation before.
    pub(in crate::packed) const NEXT_DELETE: u8 = 10;
    /// A character that is named.
    pub(in crate::packed) const DELETE: u8 = 11;
}

/// Which operations one replaces. Above [`pred::NONE`]: so many, each named.
pub(super) mod pred {
    pub(in crate::packed) const LIKELY: u64 = 0;
    pub(in crate::packed) const NONE: u64 = 1;
}

/// More predecessors than these are never expected: what is repeated in no bytes stays small.
pub(super) const LIKELY_PREDS_MAX: usize = 4;

/// The change whose operations are written or read.
#[derive(Debug, Clone, Copy)]
pub(super) struct Of {
    pub(super) place: usize,
    pub(super) kind: Kind,
    pub(super) author: Actor,
    pub(super) start_op: u64,
    /// It builds on the record's beginning alone: it replaces nothing.
    pub(super) is_first: bool,
}

impl Of {
    pub(super) const fn key(&self) -> KeyOf<'_> {
        KeyOf { place: self.place, kind: self.kind, author: &self.author }
    }

    pub(super) fn case(&self, told: &Told<'_>) -> Option<RecordId> {
        told.record(self.place)?.record.case
    }
}

/// Where the operation before stood in its text.
#[derive(Debug, Clone, Copy)]
pub(super) struct Cursor {
    object: OpId,
    field: u64,
    /// The element that it made or removed.
    element: OpId,
}

/// Whether every operation can be told in columns.
pub(super) fn fit(kind: Kind, ops: &[ParsedOp]) -> bool {
    ops.len() as u64 <= CHANGE_OPS_MAX && ops.iter().all(|op| fits(kind, op))
}

fn fits(kind: Kind, op: &ParsedOp) -> bool {
    match (&op.object, &op.key) {
        (ParsedObject::Root, ParsedKey::Field(key)) => {
            let is_ours = match &op.action {
                ParsedAction::Put(scalar) => fields::is_ours(scalar),
                ParsedAction::Delete => true,
                _ => false,
            };
            is_ours && !op.insert && !key.contains('\0')
        }
        (ParsedObject::Object(object), key) if text_field(kind, object).is_some() => match (&op.action, key) {
            (ParsedAction::Put(ParsedScalar::Str(text)), ParsedKey::Head | ParsedKey::Element(_)) => {
                op.insert && op.preds.is_empty() && text.chars().count() == 1
            }
            (ParsedAction::Delete, ParsedKey::Element(element)) => !op.insert && op.preds == [*element],
            _ => false,
        },
        _ => false,
    }
}

/// The number, from 1, of the field whose text the genesis made as `object`.
fn text_field(kind: Kind, object: &OpId) -> Option<u64> {
    let (at, _) =
        kind.rule().fields.iter().enumerate().find(|(_, field)| text_of(kind, field.name) == Some(*object))?;
    Some(at as u64 + 1)
}

fn text_of(kind: Kind, field: &str) -> Option<OpId> {
    let (counter, actor) = document::genesis_text(kind, field)?;
    Some(OpId { counter, actor })
}

/// Operations of a change whose shape is kept; longer ones hardly come again.
pub(super) const SHAPE_OPS_MAX: usize = 64;

/// What a change does: of each operation the field's number and what it does there. Most changes do what others did.
pub(super) type Shape = Rc<[(u64, u8)]>;

/// The shape, where each operation is one at a field of the root.
fn shape_of(told: &Told<'_>, of: Of, ops: &[ParsedOp]) -> Option<Shape> {
    let case = of.case(told);
    let one = |op: &ParsedOp| match (&op.object, &op.key) {
        (ParsedObject::Root, ParsedKey::Field(key)) => {
            Some((fields::field_of(of.kind, key).0, code_of(case, &op.action)))
        }
        _ => None,
    };
    if ops.len() > SHAPE_OPS_MAX { None } else { ops.iter().map(one).collect() }
}

fn code_of(case: Option<RecordId>, action: &ParsedAction) -> u8 {
    if let ParsedAction::Put(scalar) = action { fields::code_of(case, scalar) } else { code::FIELD_DELETE }
}

/// Writes the operations of a change; all of them [`fit`].
pub(super) fn write(told: &mut Told<'_>, out: &mut Writer, of: Of, ops: &[ParsedOp]) {
    let shape = shape_of(told, of, ops);
    let place = shape.as_ref().and_then(|shape| told.shapes.place(shape));
    out.unsigned(Column::Shape, place.map_or(0, |place| place as u64 + 1));
    let spelt = place.is_none();
    if spelt {
        out.unsigned(Column::OpCount, ops.len() as u64);
        shape.into_iter().for_each(|shape| told.shapes.add(shape));
    }
    let mut cursor = None;
    for op in ops {
        match (&op.object, &op.key) {
            (ParsedObject::Object(object), key) => cursor = write_text(told, out, of, cursor, (op, *object, key)),
            (ParsedObject::Root, ParsedKey::Field(key)) => {
                write_field(told, out, of, op, (key, spelt));
                cursor = None;
            }
            (ParsedObject::Root, _) => {}
        }
    }
}

fn write_field(told: &mut Told<'_>, out: &mut Writer, of: Of, op: &ParsedOp, (key, spelt): (&str, bool)) {
    let (number, item) = fields::field_of(of.kind, key);
    let field = fields::stream(of.kind, number);
    let code = code_of(of.case(told), &op.action);
    if spelt {
        out.bytes(Column::Op, &[code]);
        out.unsigned(Column::Key, number);
    }
    let value = if let ParsedAction::Put(ParsedScalar::Str(text)) = &op.action { Some(text.as_str()) } else { None };
    keys::write_key(told, out, of.key(), key, (number, item), value);
    if let ParsedAction::Put(scalar) = &op.action {
        fields::write_value(told, out, (of.kind, number), code, scalar);
    }
    let likely = likely_preds(told, of, field, key);
    if op.preds == likely {
        out.unsigned(Column::Preds, pred::LIKELY);
    } else {
        out.unsigned(Column::Preds, pred::NONE + op.preds.len() as u64);
        for pred in &op.preds {
            write_op(told, out, of, (Column::PredActor, Column::PredCounter), pred);
        }
    }
    note_field(told, of, field, op, key);
}

/// What stands at the key, as far as the list tells; else what the last change of the field replaced.
fn likely_preds(told: &Told<'_>, of: Of, field: FieldStream, key: &str) -> Vec<OpId> {
    let in_list = told.record(of.place).and_then(|told| told.ops.get(key));
    if let Some(last) = in_list {
        return vec![*last];
    }
    if of.is_first { Vec::new() } else { told.replaced.get(&field).cloned().unwrap_or_default() }
}

fn note_field(told: &mut Told<'_>, of: Of, field: FieldStream, op: &ParsedOp, key: &str) {
    let in_list = told.record(of.place).is_some_and(|told| told.ops.get(key).is_some());
    if !in_list && !of.is_first && (1..=LIKELY_PREDS_MAX).contains(&op.preds.len()) {
        told.replaced.insert(field, op.preds.clone());
    }
    told.note_op(of.place, key, op.id);
}

/// An operation by author and counter. Counter 0 stands for none.
fn write_op(told: &mut Told<'_>, out: &mut Writer, of: Of, (actor, counter): (Column, Column), op: &OpId) {
    out.unsigned(counter, op.counter);
    actors::write(told, out, actor, of.place, Some(of.author), &op.actor);
}

fn write_text(
    told: &mut Told<'_>,
    out: &mut Writer,
    of: Of,
    cursor: Option<Cursor>,
    (op, object, key): (&ParsedOp, OpId, &ParsedKey),
) -> Option<Cursor> {
    let field = text_field(of.kind, &object)?;
    let here = cursor.filter(|cursor| cursor.object == object);
    let place = if let ParsedKey::Element(element) = key { Some(*element) } else { None };
    let is_insert = op.insert;
    let expected = here.map(|cursor| if is_insert { cursor.element } else { after(cursor.element) });
    let is_next = expected.is_some() && expected == place;
    out.bytes(
        Column::Op,
        &[match (is_insert, is_next) {
            (true, true) => code::NEXT_INSERT,
            (true, false) => code::INSERT,
            (false, true) => code::NEXT_DELETE,
            (false, false) => code::DELETE,
        }],
    );
    if !is_next {
        out.unsigned(Column::Text, field);
        match &place {
            Some(element) => write_op(told, out, of, (Column::PlaceActor, Column::PlaceCounter), element),
            None => out.unsigned(Column::PlaceCounter, 0),
        }
    }
    if let ParsedAction::Put(ParsedScalar::Str(text)) = &op.action {
        out.field_bytes(fields::stream(of.kind, field), text.as_bytes());
    }
    let element = if is_insert { op.id } else { place? };
    Some(Cursor { object, field, element })
}

fn after(element: OpId) -> OpId {
    OpId { counter: element.counter.saturating_add(1), ..element }
}

/// Reads the operations of a change; `left` are the operations that the list may still have.
pub(super) fn read(
    told: &mut Told<'_>,
    columns: &mut Reader<'_>,
    of: Of,
    left: &mut usize,
) -> Result<Vec<ParsedOp>, PackedError> {
    let mut outline = Outline::read(told, columns)?;
    let (mut ops, mut cursor, mut preds) = (Vec::new(), None, 0_usize);
    for at in 0..outline.count {
        *left = left.checked_sub(1).ok_or(PackedError::TooLarge)?;
        let (number, code) = outline.next(columns, at)?;
        let id = OpId { counter: of.start_op.checked_add(at).ok_or(PackedError::Malformed)?, actor: of.author };
        let op = if code <= code::FIELD_DELETE {
            cursor = None;
            read_field(told, columns, of, id, (number, code))?
        } else {
            let (op, now) = read_text(told, columns, of, cursor, (id, code))?;
            cursor = Some(now);
            op
        };
        preds = preds.saturating_add(op.preds.len());
        if preds > CHANGE_PREDS_MAX {
            return Err(PackedError::TooLarge);
        }
        ops.push(op);
    }
    outline.finish(told);
    Ok(ops)
}

fn read_field(
    told: &mut Told<'_>,
    columns: &mut Reader<'_>,
    of: Of,
    id: OpId,
    (number, code): (u64, u8),
) -> Result<ParsedOp, PackedError> {
    let key = keys::read_key(told, columns, of.key(), number)?;
    let field = fields::stream(of.kind, number);
    let action = match code {
        code::FIELD_DELETE => ParsedAction::Delete,
        code => ParsedAction::Put(fields::read_value(told, columns, (of.kind, number), of.case(told), code)?),
    };
    let key = match (key, &action) {
        (KeyRead::Whole(key), _) => key,
        (KeyRead::Statement, ParsedAction::Put(ParsedScalar::Str(text))) => {
            keys::statement_key(told, of.key(), number, Some(text))?
        }
        (KeyRead::Statement, _) => return Err(PackedError::Malformed),
    };
    let preds = match columns.unsigned(Column::Preds)? {
        pred::LIKELY => likely_preds(told, of, field, &key),
        code => {
            let count = usize::try_from(code - pred::NONE).map_err(|_| PackedError::TooLarge)?;
            if count > CHANGE_PREDS_MAX {
                return Err(PackedError::TooLarge);
            }
            let named = (Column::PredActor, Column::PredCounter);
            (0..count).map(|_| read_op(told, columns, of, named)).collect::<Result<_, _>>()?
        }
    };
    let op = ParsedOp { id, object: ParsedObject::Root, key: ParsedKey::Field(key), insert: false, action, preds };
    if let ParsedKey::Field(key) = &op.key {
        note_field(told, of, field, &op, key);
    }
    Ok(op)
}

pub(super) fn read_op(
    told: &mut Told<'_>,
    columns: &mut Reader<'_>,
    of: Of,
    (actor, counter): (Column, Column),
) -> Result<OpId, PackedError> {
    let counter = columns.unsigned(counter)?;
    let actor = actors::read(told, columns, actor, of.place, Some(of.author))?;
    Ok(OpId { counter, actor })
}

pub(super) fn read_text(
    told: &mut Told<'_>,
    columns: &mut Reader<'_>,
    of: Of,
    cursor: Option<Cursor>,
    (id, code): (OpId, u8),
) -> Result<(ParsedOp, Cursor), PackedError> {
    let insert = matches!(code, code::NEXT_INSERT | code::INSERT);
    let (object, field, place) = match (code, cursor) {
        (code::NEXT_INSERT, Some(cursor)) => (cursor.object, cursor.field, Some(cursor.element)),
        (code::NEXT_DELETE, Some(cursor)) => (cursor.object, cursor.field, Some(after(cursor.element))),
        (code::INSERT | code::DELETE, _) => {
            let field = columns.unsigned(Column::Text)?;
            let at = usize::try_from(field).ok().and_then(|field| field.checked_sub(1));
            let rule = at.and_then(|at| of.kind.rule().fields.get(at)).ok_or(PackedError::Malformed)?;
            let object = text_of(of.kind, rule.name).ok_or(PackedError::Malformed)?;
            (object, field, read_place(told, columns, of)?)
        }
        _ => return Err(PackedError::Malformed),
    };
    let action = if insert {
        let text = columns.field_char(fields::stream(of.kind, field))?;
        ParsedAction::Put(ParsedScalar::Str(text.to_owned()))
    } else {
        ParsedAction::Delete
    };
    let element = if insert { id } else { place.ok_or(PackedError::Malformed)? };
    let preds = if insert { Vec::new() } else { vec![element] };
    let key = place.map_or(ParsedKey::Head, ParsedKey::Element);
    let op = ParsedOp { id, object: ParsedObject::Object(object), key, insert, action, preds };
    Ok((op, Cursor { object, field, element }))
}

fn read_place(told: &mut Told<'_>, columns: &mut Reader<'_>, of: Of) -> Result<Option<OpId>, PackedError> {
    let counter = columns.unsigned(Column::PlaceCounter)?;
    if counter == 0 {
        return Ok(None);
    }
    let actor = actors::read(told, columns, Column::PlaceActor, of.place, Some(of.author))?;
    Ok(Some(OpId { counter, actor }))
}
