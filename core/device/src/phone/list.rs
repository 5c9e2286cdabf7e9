//! Lists, in pages, from what the store keeps in columns.

use foras_record::field::ValueType;
use foras_record::kind::Kind;
use foras_record::role::Role;
use foras_record::value;
use serde::Serialize;
use serde_json::{Map, Value};

use super::{Filter, Listing, PAGE_ROWS, Phone, setting};
use crate::error::Error;
use crate::store::{Item, ListQuery, Order};

/// One row of a list.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Row {
    /// The case, or the record itself where it is about nobody.
    pub id: String,
    /// The kind.
    pub kind: &'static str,
    /// The record.
    pub record: String,
    /// A person's name, a session's module, or what else names the record.
    #[serde(rename = "name")]
    pub title: String,
    /// The case's number, where the device knows it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub case_number: Option<String>,
    /// The orientation point.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub point: Option<String>,
    /// The moment that the record is about: a session's start, a note's day.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at: Option<String>,
    /// Fields with concurrent values.
    pub conflicts: u32,
    /// How far it came: saved, sending, server, seen, refused or awaiting.
    pub delivery: &'static str,
    /// Further columns of the kind, such as a session's minutes.
    #[serde(flatten)]
    pub columns: Map<String, Value>,
}

/// Names that a row has of its own; a column of such a name is left out.
const OWN: [&str; 9] = ["id", "kind", "record", "name", "case_number", "point", "at", "conflicts", "delivery"];

impl Phone {
    /// One page of a list: people, sessions, notes, modules, country_notes, cases, badges, projects, paths, assessments
    /// or feedback. People are persons; for a trainer, who holds no persons, badges; for a coordinator, cases.
    ///
    /// # Errors
    /// [`Error::Misuse`] for another list, or page 0; [`Error::InvalidValue`] for another point;
    /// [`Error::Locked`] when the lease is spent.
    pub fn list(&mut self, what: &str, filter: &Filter) -> Result<Listing<Row>, Error> {
        self.readable()?;
        let kind = self.kind_of_list(what)?;
        if filter.page == 0 {
            return Err(Error::Misuse("pages count from 1"));
        }
        let point = filter.point.as_deref().map(|point| value::check(&ValueType::Point, point)).transpose();
        let point = point.map_err(|error| Error::InvalidValue { code: error.code(), field: Some("point") })?;
        let query = ListQuery {
            point: point.as_ref().map(setting::plain),
            search: filter.search.clone(),
            order: match kind {
                Kind::Session => Order::Earliest,
                Kind::Note | Kind::Feedback => Order::Latest,
                _ => Order::Title,
            },
            page: filter.page,
            page_items: PAGE_ROWS,
            ..ListQuery::default()
        };
        let found = self.store.list(kind, &query)?;
        let items = found.items.into_iter().map(|item| row(kind, item)).collect();
        Ok(Listing { items, page: found.page, pages: found.pages, total: found.total })
    }

    fn kind_of_list(&self, what: &str) -> Result<Kind, Error> {
        Ok(match what {
            "people" => match self.enrolled()?.role() {
                Role::Trainer => Kind::Badge,
                Role::Coordinator => Kind::Case,
                _ => Kind::Person,
            },
            "sessions" => Kind::Session,
            "notes" => Kind::Note,
            "modules" => Kind::Module,
            "country_notes" => Kind::CountryNote,
            "cases" => Kind::Case,
            "badges" => Kind::Badge,
            "projects" => Kind::Project,
            "paths" => Kind::Path,
            "assessments" => Kind::Assessment,
            "feedback" => Kind::Feedback,
            _ => return Err(Error::Misuse("there is no such list; see `foras help phone list`")),
        })
    }
}

fn row(kind: Kind, item: Item) -> Row {
    let filled = |text: String| Some(text).filter(|text| !text.is_empty());
    let mut columns = match item.columns {
        Value::Object(columns) => columns,
        _ => Map::new(),
    };
    if let Value::Object(of_case) = item.case_columns {
        for (name, value) in of_case {
            columns.entry(name).or_insert(value);
        }
    }
    columns.retain(|name, _| !OWN.contains(&name.as_str()));
    Row {
        id: item.record.case.unwrap_or(item.record.key.id).to_string(),
        kind: kind.name(),
        record: item.record.key.id.to_string(),
        title: item.title,
        case_number: filled(item.case_number),
        point: filled(item.point),
        at: filled(item.sort_at),
        conflicts: item.conflicts,
        delivery: item.delivery.state(),
        columns,
    }
}
