//! Suppression of small cells, so that nobody is recognised in what leaves the programme.
//!
//! A cell above 0 and below the threshold is left out. One equation ties each column together: rows add up to the
//! total. So whatever is left out of a column's rows must hide at least two cells that together reach the threshold;
//! else the next smallest cell is left out too, and when no row is left, the total.

use super::report::{Figures, Report};

/// One column of a report: how to read and blank it.
struct Column {
    read: fn(&Figures) -> Option<u64>,
    blank: fn(&mut Figures),
}

const COLUMNS: [Column; 11] = [
    Column { read: |f| f.registered, blank: |f| f.registered = None },
    Column { read: |f| f.attended, blank: |f| f.attended = None },
    Column { read: |f| f.oriented, blank: |f| f.oriented = None },
    Column { read: |f| f.awareness, blank: |f| f.awareness = None },
    Column { read: |f| f.trained, blank: |f| f.trained = None },
    Column { read: |f| f.completed, blank: |f| f.completed = None },
    Column { read: |f| f.handed_over, blank: |f| f.handed_over = None },
    Column { read: |f| f.accepted, blank: |f| (f.accepted, f.median_days) = (None, None) },
    Column { read: |f| f.departed, blank: |f| f.departed = None },
    Column { read: |f| f.satisfied.n, blank: |f| (f.satisfied.n, f.satisfied.share) = (None, None) },
    Column { read: |f| f.satisfied.non_response, blank: |f| f.satisfied.non_response = None },
];

/// Leaves out of `report` what is above 0 and below `threshold`, and what would give it away.
pub(super) fn suppress(report: &mut Report, threshold: u64) {
    for column in &COLUMNS {
        suppress_column(report, column, threshold);
    }
}

fn suppress_column(report: &mut Report, column: &Column, threshold: u64) {
    let total = (column.read)(&report.total).unwrap_or(0);
    let cells: Vec<u64> = report.rows.iter().map(|row| (column.read)(&row.figures).unwrap_or(0)).collect();
    // From the smallest up: what is left out is always the beginning of this order.
    let mut order: Vec<usize> = (0..cells.len()).filter(|row| cell(&cells, *row) > 0).collect();
    order.sort_by_key(|row| (cell(&cells, *row), *row));
    let mut hidden = order.iter().take_while(|row| cell(&cells, **row) < threshold).count();
    let is_safe = |hidden: usize| {
        let sum: u64 = order.iter().take(hidden).map(|row| cell(&cells, *row)).sum();
        hidden == 0 || (hidden > 1 && sum >= threshold)
    };
    while hidden < order.len() && !is_safe(hidden) {
        hidden += 1;
    }
    let total_is_small = total > 0 && total < threshold;
    if total_is_small || !is_safe(hidden) {
        (column.blank)(&mut report.total);
    }
    for row in order.into_iter().take(hidden) {
        if let Some(row) = report.rows.get_mut(row) {
            (column.blank)(&mut row.figures);
        }
    }
}

fn cell(cells: &[u64], row: usize) -> u64 {
    cells.get(row).copied().unwrap_or(0)
}
