//! Lists and search, in pages, from real columns: no document is loaded.

use foras_record::kind::Kind;
use foras_record::projection;
use foras_wire::id::RecordId;
use foras_wire::record::RecordRef;
use rusqlite::types::Value as SqlValue;
use rusqlite::{Row, params, params_from_iter};

use super::delivery::{self, ARRIVED, Delivery};
use super::fold::Asked;
use super::{Store, rows};
use crate::error::Error;

/// Items of a page, where nothing else is asked.
pub const PAGE_ITEMS: u32 = 50;
/// Items of a page at most.
pub const PAGE_ITEMS_MAX: u32 = 500;
/// Words of a search that are looked at.
const SEARCH_WORDS_MAX: usize = 8;

/// In which order a list comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Order {
    /// By title: names of people.
    #[default]
    Title,
    /// By moment, earliest first: sessions.
    Earliest,
    /// By moment, latest first: notes.
    Latest,
}

/// Which records, and which page of them.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ListQuery {
    /// Only records of this orientation point, by its code.
    pub point: Option<String>,
    /// Only records whose words contain each of these; accents and case do not matter. A case number finds its person.
    pub search: Option<String>,
    /// Only records of this case.
    pub case: Option<RecordId>,
    /// Only records with concurrent values that wait to be settled.
    pub conflicts_only: bool,
    /// The order.
    pub order: Order,
    /// Which page, from 1; 0 counts as 1.
    pub page: u32,
    /// Items of a page, up to [`PAGE_ITEMS_MAX`]; 0 counts as [`PAGE_ITEMS`].
    pub page_items: u32,
}

/// One record in a list.
#[derive(Debug, Clone, PartialEq)]
pub struct Item {
    /// The record.
    pub record: RecordRef,
    /// A name, a title, a module.
    pub title: String,
    /// The orientation point's code; empty where there is none.
    pub point: String,
    /// The number of its case; empty where there is none, or the device does not hold the case.
    pub case_number: String,
    /// The moment that the record is about, as the kind's view says; empty where there is none.
    pub sort_at: String,
    /// Fields with concurrent values that wait to be settled.
    pub conflicts: u32,
    /// Further columns of the kind's view.
    pub columns: serde_json::Value,
    /// The same of the record's case, where the device holds it and this is not it.
    pub case_columns: serde_json::Value,
    /// How far the record has come.
    pub delivery: Delivery,
}

/// A page of a list.
#[derive(Debug, Clone, PartialEq)]
pub struct Listing {
    /// The records of the page.
    pub items: Vec<Item>,
    /// Which page this is, from 1.
    pub page: u32,
    /// How many pages there are; at least 1.
    pub pages: u32,
    /// How many records there are on all pages.
    pub total: u64,
}

const COLUMNS: &str = "record.kind, record.id, record.case_id, record.generation, record.title, record.point, \
                       coalesce(nullif(record.number, ''), own_case.number, ''), record.sort_at, record.conflicts, \
                       record.columns, coalesce(own_case.columns, 'null')";
const WITH_CASE: &str = "LEFT JOIN record AS own_case \
                         ON own_case.kind = ?1 AND own_case.id = record.case_id AND own_case.row <> record.row";

/// Items of the records for which this holds; the first parameter is the case's kind.
fn items_where(from: &str, condition: &str) -> String {
    format!("SELECT {COLUMNS}, {ARRIVED} FROM {from} {WITH_CASE} WHERE {condition}")
}

/// Where a list is read from. People come in the order of the index of their words: SQLite knows nothing of how many there
/// are, and would sort them all instead.
fn from(kind: Kind, query: &ListQuery) -> &'static str {
    let of_all = query.case.is_none() && !query.conflicts_only;
    if kind == Kind::Person && of_all { "record INDEXED BY record_person_words" } else { "record" }
}

/// Cases that have a number; the first parameter is their kind.
const NUMBERED: &str = "SELECT id FROM record AS numbered WHERE number <> '' AND kind = ?1";

impl Store {
    /// One page of the records of a kind.
    ///
    /// # Errors
    /// A failure of the storage.
    pub fn list(&self, kind: Kind, query: &ListQuery) -> Result<Listing, Error> {
        self.looking(Asked::Kind(kind), || self.list_rows(kind, query))
    }

    fn list_rows(&self, kind: Kind, query: &ListQuery) -> Result<Listing, Error> {
        if query.search.as_deref().is_some_and(|search| !search.trim().is_empty()) {
            return self.search(kind, query);
        }
        let (filter, words) = filter(kind, query);
        // The first parameter serves some filters alone; naming it keeps the numbers of the others.
        let count = match query.point {
            Some(_) => format!("SELECT count(*) FROM {} WHERE {filter} AND ?1 IS NOT NULL", from(kind, query)),
            None => format!("SELECT count(*) FROM record WHERE {filter} AND ?1 IS NOT NULL"),
        };
        let total: i64 =
            self.connection.prepare_cached(&count)?.query_row(params_from_iter(&words), |row| row.get(0))?;
        let (page, page_items) = query.page();
        let skip = u64::from(page - 1) * u64::from(page_items);
        let order = query.order.sql();
        let sql =
            items_where(from(kind, query), &format!("{filter} ORDER BY {order} LIMIT {page_items} OFFSET {skip}"));
        let items = self.items(&sql, &words)?;
        Ok(query.listing(items, total.cast_unsigned()))
    }

    /// As [`Store::list`], of what a search finds: one pass over the words finds every row, and a page of them is read.
    fn search(&self, kind: Kind, query: &ListQuery) -> Result<Listing, Error> {
        let (filter, mut words) = filter(kind, query);
        let mut found = contained(query, &mut words);
        let number = format!("{}%", escaped(query.search.as_deref().unwrap_or_default().trim()));
        if self.begins_a_number(&number)? {
            // A case number stands in the case alone; here it finds everything of the case.
            words.push(SqlValue::Text(number));
            found = format!("({found} OR record.case_id IN ({NUMBERED} AND number LIKE ?{} ESCAPE '\\'))", words.len());
        }
        let order = query.order.sql();
        let from = from(kind, query);
        let sql =
            format!("SELECT record.row FROM {from} WHERE {filter} AND ({found}) AND ?1 IS NOT NULL ORDER BY {order}");
        let mut statement = self.connection.prepare_cached(&sql)?;
        let rows = statement.query_map(params_from_iter(&words), |row| row.get::<_, i64>(0))?;
        let rows = rows.collect::<Result<Vec<_>, _>>()?;
        let (page, page_items) = query.page();
        let skip = usize::try_from(u64::from(page - 1) * u64::from(page_items)).unwrap_or(usize::MAX);
        let sql = items_where("record", "record.row = ?2");
        let mut items = Vec::new();
        for row in rows.iter().skip(skip).take(page_items as usize) {
            items.extend(self.items(&sql, &[case_kind(), SqlValue::Integer(*row)])?);
        }
        Ok(query.listing(items, rows.len() as u64))
    }

    /// Whether any case number is like this.
    fn begins_a_number(&self, number: &str) -> Result<bool, Error> {
        let sql = format!("SELECT EXISTS ({NUMBERED} AND number LIKE ?2 ESCAPE '\\')");
        let mut statement = self.connection.prepare_cached(&sql)?;
        Ok(statement.query_row(params![Kind::Case.code().0, number], |row| row.get(0))?)
    }

    /// One record as a list shows it.
    ///
    /// # Errors
    /// [`Error::NotFound`] when the device does not hold it.
    pub fn item(&self, record: &RecordRef) -> Result<Item, Error> {
        self.looking(Asked::Record(&record.key), || {
            let sql = items_where("record", "record.kind = ?2 AND record.id = ?3");
            let case = case_kind();
            let kind = SqlValue::Integer(record.key.kind.0.into());
            let words = [case, kind, SqlValue::Blob(record.key.id.as_bytes().to_vec())];
            self.items(&sql, &words)?.pop().ok_or(Error::NotFound)
        })
    }

    /// Every record with concurrent values that wait to be settled, by kind.
    ///
    /// # Errors
    /// A failure of the storage.
    pub fn conflicts(&self) -> Result<Vec<RecordRef>, Error> {
        self.looking(Asked::All, || {
            let sql = "SELECT kind, id, case_id, generation FROM record WHERE conflicts > 0 ORDER BY kind, row";
            let mut statement = self.connection.prepare_cached(sql)?;
            let records = statement.query_map([], |row| rows::record_ref(row, 0))?;
            Ok(records.collect::<Result<_, _>>()?)
        })
    }

    /// Every record of a kind, in the order in which the device came to hold them; for exports.
    ///
    /// # Errors
    /// A failure of the storage.
    pub fn records_of_kind(&self, kind: Kind) -> Result<Vec<RecordRef>, Error> {
        self.looking(Asked::Kind(kind), || {
            let sql = "SELECT kind, id, case_id, generation FROM record WHERE kind = ?1 ORDER BY row";
            let mut statement = self.connection.prepare_cached(sql)?;
            let records = statement.query_map(params![kind.code().0], |row| rows::record_ref(row, 0))?;
            Ok(records.collect::<Result<_, _>>()?)
        })
    }

    fn items(&self, sql: &str, words: &[SqlValue]) -> Result<Vec<Item>, Error> {
        let mut statement = self.connection.prepare_cached(sql)?;
        let mut items = statement.query_map(params_from_iter(words), item)?.collect::<Result<Vec<_>, _>>()?;
        if self.is_any_apart()? {
            for item in &mut items {
                item.delivery = self.delivery(&item.record.key)?;
            }
        }
        Ok(items)
    }
}

fn item(row: &Row<'_>) -> rusqlite::Result<Item> {
    let json = |at| row.get::<_, String>(at).map(|text| serde_json::from_str(&text).unwrap_or_default());
    Ok(Item {
        record: rows::record_ref(row, 0)?,
        title: row.get(4)?,
        point: row.get(5)?,
        case_number: row.get(6)?,
        sort_at: row.get(7)?,
        conflicts: row.get(8)?,
        columns: json(9)?,
        case_columns: json(10)?,
        delivery: delivery::arrived(row, 11)?,
    })
}

impl Order {
    fn sql(self) -> &'static str {
        match self {
            Self::Title => "record.title_key, record.row",
            Self::Earliest => "record.sort_at, record.row",
            Self::Latest => "record.sort_at DESC, record.row DESC",
        }
    }
}

impl ListQuery {
    /// The page, from 1, and the items of a page.
    fn page(&self) -> (u32, u32) {
        let page_items = match self.page_items {
            0 => PAGE_ITEMS,
            items => items.min(PAGE_ITEMS_MAX),
        };
        (self.page.max(1), page_items)
    }

    fn listing(&self, items: Vec<Item>, total: u64) -> Listing {
        let (page, page_items) = self.page();
        let pages = u32::try_from(total.div_ceil(u64::from(page_items))).unwrap_or(u32::MAX).max(1);
        Listing { items, page, pages, total }
    }
}

fn case_kind() -> SqlValue {
    SqlValue::Integer(Kind::Case.code().0.into())
}

/// The condition of a list, and its parameters: the first is the case's kind. What is searched for is not in it.
fn filter(kind: Kind, query: &ListQuery) -> (String, Vec<SqlValue>) {
    let mut words = vec![case_kind()];
    let mut filter = format!("record.kind = {}", kind.code().0);
    // As the indexes say it.
    filter += match kind {
        Kind::Person => " AND record.kind < 2",
        _ if query.order == Order::Title => " AND record.kind > 1",
        Kind::Note | Kind::Session | Kind::Feedback => " AND record.kind IN (7, 8, 10)",
        _ => "",
    };
    let mut bind = |word| {
        words.push(word);
        words.len()
    };
    if let Some(point) = &query.point {
        filter += &format!(" AND record.point = ?{}", bind(SqlValue::Text(point.clone())));
    }
    if let Some(case) = &query.case {
        filter += &format!(" AND record.case_id = ?{}", bind(SqlValue::Blob(case.as_bytes().to_vec())));
    }
    if query.conflicts_only {
        filter += " AND record.conflicts > 0";
    }
    (filter, words)
}

/// That a record holds every word that is searched for. Both sides are folded.
fn contained(query: &ListQuery, words: &mut Vec<SqlValue>) -> String {
    let folded = projection::fold(query.search.as_deref().unwrap_or_default().trim());
    let mut contained = Vec::new();
    for word in folded.split_whitespace().take(SEARCH_WORDS_MAX) {
        words.push(SqlValue::Text(word.to_owned()));
        contained.push(format!("instr(record.search, ?{}) > 0", words.len()));
    }
    // What folds to nothing is in nothing; a mere 0 would leave SQLite no use for the index that it is told to take.
    if contained.is_empty() { "record.search < ''".to_owned() } else { contained.join(" AND ") }
}

fn escaped(text: &str) -> String {
    text.replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_")
}
