//! Everything held about a person or a session: each value with who and when, and what others wrote at the same time.

use std::collections::BTreeMap;

use foras_record::document::{Document, FieldState, Held};
use foras_record::event::Family;
use foras_record::field::{FieldRule, Shape};
use foras_record::kind::Kind;
use foras_record::standing::{Holder, Standing};
use foras_wire::id::Actor;
use foras_wire::record::{RecordKey, RecordRef};
use serde::Serialize;
use serde_json::Value;

use super::Phone;
use super::subject::Subject;
use crate::error::Error;
use crate::store::{Delivery, Store};

/// Who wrote something; the same on every replica, but migrants' devices are told roles only.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Author {
    /// What colleagues call the person.
    pub name: Option<String>,
    /// The role's code.
    pub role: String,
}

/// What somebody else wrote at the same time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct OtherValue {
    /// The value; null for a clear.
    pub value: Value,
    /// Who wrote it.
    pub by: Author,
    /// When, by the author's clock: RFC 3339.
    pub at: String,
}

/// A field's value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ValueShown {
    /// What shows; null where it was cleared, an array for a set, an object for an event.
    pub value: Value,
    /// Who wrote it.
    pub by: Author,
    /// When, by the author's clock: RFC 3339.
    pub at: String,
    /// What others wrote at the same time, in one order everywhere; until somebody settles it.
    pub others: Vec<OtherValue>,
}

/// How far a record came.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DeliveryShown {
    /// saved, sending, carried, server, seen, refused or awaiting.
    pub state: &'static str,
    /// On the server since, or seen by the mission at: RFC 3339, server's clock.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at: Option<String>,
    /// Of what was seen: the mission's country.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
    /// Of a refusal: its code.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
}

/// One record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RecordShown {
    /// Its kind.
    pub kind: &'static str,
    /// Its id.
    pub record: String,
    /// Its fields by name. One with items shows each as `field/item`; `point` and `registered_on` of a case follow from
    /// its events.
    pub fields: BTreeMap<String, ValueShown>,
    /// How far it came.
    pub delivery: DeliveryShown,
}

/// Where a case stands: what follows from the events that the server ruled valid.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct StandingShown {
    /// The points that work on it.
    pub points: Vec<String>,
    /// `point`, or the country whose mission holds it.
    pub holder: String,
    /// How far the last handover came.
    pub handover: &'static str,
    /// The newest answer by purpose.
    pub consents: BTreeMap<String, &'static str>,
    /// Events that wait for a ruling.
    pub awaiting: usize,
}

/// A case or a session with its records.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Shown {
    /// The case or session.
    pub id: String,
    /// Where the case stands; none for a session, or where the device does not hold the case itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub standing: Option<StandingShown>,
    /// The records that the device holds, by kind.
    pub records: Vec<RecordShown>,
}

impl Phone {
    /// Everything that the device holds about a case, or a session.
    ///
    /// # Errors
    /// [`Error::NotFound`]; [`Error::Locked`] when the lease is spent.
    pub fn show(&mut self, id: &str) -> Result<Shown, Error> {
        self.readable()?;
        let (id, records) = match self.subject(id)? {
            Subject::Case(case) => (case, self.store.records_of_case(&case)?),
            Subject::Free(_, record) => (record.key.id, vec![record]),
        };
        let mut shown = Shown { id: id.to_string(), standing: None, records: Vec::new() };
        for record in records {
            let Some(kind) = Kind::of_code(record.key.kind) else { continue };
            let Some(document) = self.document(&record.key)? else { continue };
            if kind == Kind::Case {
                shown.standing = Some(standing(&Standing::of(&document)));
            }
            shown.records.push(self.record_shown(kind, &record, &document)?);
        }
        Ok(shown)
    }

    fn record_shown(&self, kind: Kind, record: &RecordRef, document: &Document) -> Result<RecordShown, Error> {
        let delivery = self.store.delivery(&record.key)?;
        Ok(RecordShown {
            kind: kind.name(),
            record: record.key.id.to_string(),
            fields: Fields { store: &self.store, record: record.key, authors: BTreeMap::new() }.of(kind, document)?,
            delivery: delivery_shown(&delivery),
        })
    }
}

/// Fields with the names of their authors.
pub(super) struct Fields<'a> {
    pub(super) store: &'a Store,
    /// The record that is shown.
    pub(super) record: RecordKey,
    pub(super) authors: BTreeMap<Actor, Author>,
}

impl Fields<'_> {
    /// Every field that somebody wrote.
    pub(super) fn of(&mut self, kind: Kind, document: &Document) -> Result<BTreeMap<String, ValueShown>, Error> {
        let mut fields = BTreeMap::new();
        let states = document.fields();
        let rulings = states.get("ruling").cloned().unwrap_or_default();
        for rule in kind.rule().fields {
            let Some(state) = states.get(rule.name) else { continue };
            if rule.name == "ruling" {
                continue;
            }
            self.of_field(rule, state, &rulings, &mut fields)?;
        }
        if let Some(registered) = states.get(Family::Registered.code()) {
            self.of_registration(registered, &rulings, &mut fields)?;
        }
        Ok(fields)
    }

    fn of_field(
        &mut self,
        rule: &FieldRule,
        state: &FieldState,
        rulings: &FieldState,
        fields: &mut BTreeMap<String, ValueShown>,
    ) -> Result<(), Error> {
        if let Some(shown) = &state.shown {
            fields.insert(rule.name.to_owned(), self.value(shown, &state.others)?);
        }
        if rule.shape == Shape::Versions {
            // The newest version shows above, as the list that it holds.
            if let Some(value) = fields.get_mut(rule.name) {
                value.value = value.value.get("values").cloned().unwrap_or_else(|| value.value.clone());
            }
            return Ok(());
        }
        for (item, state) in &state.items {
            let mut value = self.value(&state.shown, &state.others)?;
            if rule.shape == Shape::Events {
                rule_event(&mut value.value, rulings, item);
            }
            fields.insert(rule.key(Some(item)), value);
        }
        Ok(())
    }

    /// Point and day of the registration in force, else of the first that waits.
    fn of_registration(
        &mut self,
        registered: &FieldState,
        rulings: &FieldState,
        fields: &mut BTreeMap<String, ValueShown>,
    ) -> Result<(), Error> {
        let is_void = |item: &str| ruling_of(rulings, item).is_some_and(|ruling| ruling.contains("void"));
        let is_valid = |item: &str| ruling_of(rulings, item).is_some_and(|ruling| !ruling.contains("void"));
        let found = registered.items.iter().find(|(item, _)| is_valid(item));
        let found = found.or_else(|| registered.items.iter().find(|(item, _)| !is_void(item)));
        let Some((_, state)) = found else { return Ok(()) };
        for (name, key) in [("point", "point"), ("registered_on", "on")] {
            if let Some(value) = state.shown.value.get(key) {
                let held = Held { value: value.clone(), ..state.shown.clone() };
                fields.insert(name.to_owned(), self.value(&held, &[])?);
            }
        }
        Ok(())
    }

    fn value(&mut self, shown: &Held, others: &[Held]) -> Result<ValueShown, Error> {
        let others = others.iter().map(|held| {
            Ok(OtherValue { value: held.value.clone(), by: self.author(&held.actor)?, at: instant(held.time_s) })
        });
        let others = others.collect::<Result<_, Error>>()?;
        Ok(ValueShown { value: shown.value.clone(), by: self.author(&shown.actor)?, at: instant(shown.time_s), others })
    }

    fn author(&mut self, actor: &Actor) -> Result<Author, Error> {
        if let Some(author) = self.authors.get(actor) {
            return Ok(author.clone());
        }
        let known = self.store.author(&self.record, actor)?;
        let author = match known {
            Some(known) => Author { name: known.name, role: known.role.code().to_owned() },
            None => Author { name: None, role: "unknown".to_owned() },
        };
        self.authors.insert(*actor, author.clone());
        Ok(author)
    }
}

fn ruling_of<'a>(rulings: &'a FieldState, event: &str) -> Option<&'a str> {
    rulings.items.get(event)?.shown.value.as_str()
}

/// Adds to an event what the server ruled: `valid`, `void REASON`, or `awaiting`.
fn rule_event(event: &mut Value, rulings: &FieldState, item: &str) {
    let ruling =
        ruling_of(rulings, item).map_or("awaiting", |text| text.split_once(' ').map_or(text, |(_, rest)| rest));
    if let Value::Object(event) = event {
        event.insert("ruling".to_owned(), ruling.into());
    }
}

/// A moment by the author's clock.
pub(super) fn instant(time_s: i64) -> String {
    jiff::Timestamp::from_second(time_s).map(|moment| moment.to_string()).unwrap_or_default()
}

fn delivery_shown(delivery: &Delivery) -> DeliveryShown {
    let at = |ms: i64| instant(ms.div_euclid(1_000));
    let mut shown = DeliveryShown { state: delivery.state(), at: None, by: None, code: None };
    match delivery {
        Delivery::Server { at_ms } => shown.at = at_ms.map(at),
        Delivery::Seen { country, at_ms } => (shown.at, shown.by) = (Some(at(*at_ms)), Some(country.clone())),
        Delivery::Refused { code } => shown.code = Some(code.clone()),
        Delivery::Saved | Delivery::Sending | Delivery::Carried | Delivery::Awaiting => {}
    }
    shown
}

fn standing(standing: &Standing) -> StandingShown {
    let answer = |state: &foras_record::standing::ConsentState| state.status.map_or("none", |status| status.code());
    StandingShown {
        points: standing.points.iter().map(|point| point.code().to_owned()).collect(),
        holder: match standing.holder {
            Holder::Point => "point".to_owned(),
            Holder::Country(country) => country.code().to_owned(),
        },
        handover: standing.handover().code(),
        consents: standing.consents.iter().map(|(purpose, state)| (purpose.code().to_owned(), answer(state))).collect(),
        awaiting: standing.unruled.len(),
    }
}
