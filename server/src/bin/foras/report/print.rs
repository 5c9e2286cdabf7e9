//! A report for people and for spreadsheets.

use foras_record::indicator::{Figures, Query, Report};

use crate::output::Failure;

/// Stands for a figure that is left out.
const LEFT_OUT: &str = "*";
/// What the last row is called.
const TOTAL: &str = "total";

/// The report in aligned columns.
pub(super) fn table(report: &Report, query: &Query) -> String {
    let rows = rows(report, query, LEFT_OUT);
    let columns = rows.first().map_or(0, Vec::len);
    let width = |column: usize| rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count()).max();
    let widths: Vec<usize> = (0..columns).map(|column| width(column).unwrap_or_default()).collect();
    let names = query.by.len().max(1);
    let mut text = format!("{} to {}\n\n", report.from, report.to);
    for row in &rows {
        let cells = row.iter().zip(&widths).enumerate().map(|(column, (cell, width))| match column < names {
            true => format!("{cell:<width$}"),
            false => format!("{cell:>width$}"),
        });
        text.push_str(cells.collect::<Vec<_>>().join("  ").trim_end());
        text.push('\n');
    }
    if rows.iter().flatten().any(|cell| cell == LEFT_OUT) {
        let n = query.suppress;
        text.push_str(&format!("\n* left out: fewer than {n} people, or such a number could be worked out from it\n"));
    }
    text
}

/// The report as CSV; what is left out is empty.
pub(super) fn csv(report: &Report, query: &Query) -> Result<String, Failure> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    for row in rows(report, query, "") {
        writer.write_record(&row).map_err(std::io::Error::from)?;
    }
    let bytes = writer.into_inner().map_err(|error| error.into_error())?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// The heading, a row each, and the total.
fn rows(report: &Report, query: &Query, left_out: &str) -> Vec<Vec<String>> {
    let figures = |figures: &Figures| cells(figures, left_out);
    let mut heading: Vec<String> = query.by.iter().map(|by| by.code().to_owned()).collect();
    let mut total = vec![String::new(); heading.len().max(1)];
    if let Some(first) = total.first_mut() {
        TOTAL.clone_into(first);
    }
    if heading.is_empty() {
        heading.push(String::new());
    }
    heading.extend(report.total.cells().map(|(name, _)| name.to_owned()));
    heading.extend(["satisfied", "answers", "no_answer"].map(str::to_owned));
    total.extend(figures(&report.total));
    let mut rows = vec![heading];
    for row in &report.rows {
        rows.push(row.of.iter().map(|(_, value)| value.clone()).chain(figures(&row.figures)).collect());
    }
    rows.push(total);
    rows
}

fn cells(figures: &Figures, left_out: &str) -> Vec<String> {
    let number = |cell: Option<u64>| cell.map_or_else(|| left_out.to_owned(), |number| number.to_string());
    let nothing = || "-".to_owned();
    let mut cells: Vec<String> = Vec::new();
    for (name, cell) in figures.cells() {
        // Nobody was accepted, so nobody waited.
        let is_empty = name == "median_days" && figures.accepted == Some(0);
        cells.push(if is_empty { nothing() } else { number(cell) });
    }
    let satisfied = figures.satisfied;
    cells.push(match satisfied.share {
        Some(share) => format!("{share:.2}"),
        None if satisfied.n == Some(0) => nothing(),
        None => left_out.to_owned(),
    });
    cells.extend([number(satisfied.n), number(satisfied.non_response)]);
    cells
}
