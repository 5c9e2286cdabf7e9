//! What the reading commands print for people.

use std::collections::BTreeMap;
use std::fmt::Write;

use foras::phone::{Author, Conflict, FieldShown, Listing, Row, Shown, Status, ValueShown};
use serde_json::Value;

fn plain(value: &Value) -> String {
    match value {
        Value::Null => "–".to_owned(),
        Value::String(text) => text.clone(),
        Value::Array(values) => values.iter().map(plain).collect::<Vec<_>>().join(", "),
        other => other.to_string(),
    }
}

fn author(author: &Author) -> String {
    match &author.name {
        Some(name) => format!("{name}, {}", author.role),
        None => author.role.clone(),
    }
}

fn paged<T>(listing: &Listing<T>, lines: &str) -> String {
    format!("{lines}page {} of {}, {} in all", listing.page, listing.pages, listing.total)
}

pub(super) fn listing(listing: &Listing<Row>) -> String {
    let mut lines = String::new();
    for row in &listing.items {
        let parts = [
            Some(row.id.as_str()),
            row.case_number.as_deref(),
            row.point.as_deref(),
            row.at.as_deref(),
            Some(row.title.as_str()),
        ];
        let parts: Vec<_> = parts.into_iter().flatten().filter(|part| !part.is_empty()).collect();
        let _ = writeln!(lines, "{}", parts.join("  "));
    }
    paged(listing, &lines)
}

fn values(lines: &mut String, fields: &BTreeMap<String, ValueShown>) {
    for (name, field) in fields {
        let _ = writeln!(lines, "  {name}: {}  ({}, {})", plain(&field.value), author(&field.by), field.at);
        for other in &field.others {
            let _ = writeln!(lines, "    or: {}  ({}, {})", plain(&other.value), author(&other.by), other.at);
        }
    }
}

pub(super) fn conflicts(listing: &Listing<Conflict>) -> String {
    let mut lines = String::new();
    for conflict in &listing.items {
        let _ = writeln!(lines, "{} of {}", conflict.kind, conflict.id);
        values(&mut lines, &conflict.fields);
    }
    paged(listing, &lines)
}

pub(super) fn shown(shown: &Shown) -> String {
    let mut lines = format!("{}\n", shown.id);
    if let Some(standing) = &shown.standing {
        let points = standing.points.join(", ");
        let _ = writeln!(lines, "held by {}, points {points}, handover {}", standing.holder, standing.handover);
    }
    for record in &shown.records {
        let _ = writeln!(lines, "{} [{}]", record.kind, record.delivery.state);
        values(&mut lines, &record.fields);
    }
    lines
}

pub(super) fn fields(listing: &Listing<FieldShown>) -> String {
    let mut lines = String::new();
    for field in &listing.items {
        let several = if field.several { " +" } else { "" };
        let values = field.values.join("|");
        let writers = field.writers.join(", ");
        let _ = writeln!(lines, "{}{several}  [{}] {} {values}  ({writers})", field.name, field.kind, field.value_type);
    }
    lines
}

pub(super) fn status(status: &Status) -> String {
    let Some(role) = &status.role else { return "not enrolled".to_owned() };
    let mut lines = format!("{role} ({})\n", status.places.join(", "));
    let _ = writeln!(lines, "pending: {} changes, {} bytes", status.pending, status.pending_bytes);
    if let Some(first) = &status.first_sync {
        let _ =
            write!(lines, "first sync: {} of {} records, {} bytes", first.records, first.records_total, first.bytes);
        let _ = first.bytes_total.map(|total| write!(lines, " of {total}"));
        let _ = first.left_s.map(|left_s| write!(lines, ", about {left_s} s left"));
        lines.push('\n');
    }
    if status.received > 0 {
        let _ = writeln!(lines, "received: {} records, verified when they are opened", status.received);
    }
    for (audience, synced) in &status.last_sync {
        let _ = writeln!(lines, "{audience}: {}", synced.as_deref().unwrap_or("never synced"));
    }
    if let Some(lease) = &status.lease {
        let _ = writeln!(lines, "lease: {} hours left", lease.left_s / 3600);
    }
    if status.conflicts > 0 {
        let _ = writeln!(lines, "conflicts: {} records, see `foras phone conflicts`", status.conflicts);
    }
    for refused in &status.refused {
        let field = refused.field.as_deref().unwrap_or("record");
        let _ = writeln!(lines, "refused: {} {field}: {}", refused.id, refused.code);
    }
    lines
}
