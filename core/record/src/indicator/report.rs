//! A report: figures by row, and of everybody.

use jiff::civil::Date;
use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};

use super::dimension::By;
use crate::event::as_text;

/// The satisfaction survey.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub struct Satisfaction {
    /// Satisfied among those who answered, from 0 to 1, to a hundredth; none when nobody did, or suppressed.
    pub share: Option<f64>,
    /// How many answered; none when suppressed.
    pub n: Option<u64>,
    /// How many were asked and did not answer; none when suppressed.
    pub non_response: Option<u64>,
}

/// The figures of one row. A figure is none when it is suppressed.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Figures {
    /// People registered in the period.
    pub registered: Option<u64>,
    /// People who attended any session.
    pub attended: Option<u64>,
    /// People who attended an awareness session, individual or group.
    pub oriented: Option<u64>,
    /// People who attended an awareness session in a group.
    pub awareness: Option<u64>,
    /// People who attended a module other than awareness, or one of those asked for.
    pub trained: Option<u64>,
    /// People present at an awareness session and at one of another module.
    pub completed: Option<u64>,
    /// People whose handover was proposed.
    pub handed_over: Option<u64>,
    /// People whom a mission accepted.
    pub accepted: Option<u64>,
    /// Days from proposal to acceptance, of those accepted in the period; none also when nobody was.
    pub median_days: Option<u64>,
    /// People who left.
    pub departed: Option<u64>,
    /// The satisfaction survey.
    pub satisfied: Satisfaction,
}

/// The figures of one combination of values.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    /// The value in each dimension asked for, in that order.
    pub of: Vec<(By, String)>,
    /// The figures.
    pub figures: Figures,
}

/// The answer to a query.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Report {
    /// The first day.
    #[serde(serialize_with = "as_text::serialize")]
    pub from: Date,
    /// The last day.
    #[serde(serialize_with = "as_text::serialize")]
    pub to: Date,
    /// One row for each combination of values that somebody has, in order; empty where no dimension was asked for.
    pub rows: Vec<Row>,
    /// Everybody: distinct people, so that rows by module may add up to more.
    pub total: Figures,
}

impl Serialize for Row {
    /// One flat object: the dimensions by name, then the figures.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let figures = &self.figures;
        let mut map = serializer.serialize_map(None)?;
        for (by, value) in &self.of {
            map.serialize_entry(by.code(), value)?;
        }
        for (name, cell) in figures.cells() {
            map.serialize_entry(name, &cell)?;
        }
        map.serialize_entry("satisfied", &figures.satisfied)?;
        map.end()
    }
}

impl Figures {
    /// Every whole number by its name, in the order of the report. The survey stands apart.
    #[must_use]
    pub fn cells(&self) -> [(&'static str, Option<u64>); 10] {
        [
            ("registered", self.registered),
            ("attended", self.attended),
            ("oriented", self.oriented),
            ("awareness", self.awareness),
            ("trained", self.trained),
            ("completed", self.completed),
            ("handed_over", self.handed_over),
            ("accepted", self.accepted),
            ("median_days", self.median_days),
            ("departed", self.departed),
        ]
    }
}
