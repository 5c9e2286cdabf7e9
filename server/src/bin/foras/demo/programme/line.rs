//! One person of the programme, as a line that `foras phone import` reads.

use std::collections::BTreeMap;

use foras_record::place::Point;
use jiff::civil::Date;
use serde::Serialize;

/// A person, in the shape of an import.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Line {
    #[serde(rename = "ref")]
    pub(crate) reference: String,
    pub(crate) name: String,
    pub(crate) sex: &'static str,
    pub(crate) birth_year: i16,
    pub(crate) nationality: &'static str,
    pub(crate) country: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) phone: Option<String>,
    pub(crate) languages: Vec<&'static str>,
    #[serde(serialize_with = "code")]
    pub(crate) point: Point,
    #[serde(serialize_with = "day")]
    pub(crate) registered_on: Date,
    /// Named where the day of registration does not say it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) programme: Option<&'static str>,
    pub(crate) arrival_year: i16,
    pub(crate) household: i64,
    #[serde(skip_serializing_if = "str::is_empty")]
    pub(crate) education: &'static str,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) vulnerabilities: Vec<&'static str>,
    pub(crate) consents: BTreeMap<&'static str, &'static str>,
    #[serde(skip_serializing_if = "str::is_empty")]
    pub(crate) needs: &'static str,
    #[serde(skip_serializing_if = "str::is_empty")]
    pub(crate) skills: &'static str,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) modules: Vec<ModuleDay>,
    #[serde(skip_serializing_if = "str::is_empty")]
    pub(crate) project_idea: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) satisfaction: Option<&'static str>,
}

/// A day on which somebody was expected at a module.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct ModuleDay {
    pub(crate) module: &'static str,
    #[serde(serialize_with = "day")]
    pub(crate) on: Date,
    pub(crate) attendance: &'static str,
}

impl ModuleDay {
    pub(super) fn present(module: &'static str, on: Date) -> Self {
        Self { module, on, attendance: "present" }
    }
}

fn code<S: serde::Serializer>(point: &Point, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(point.code())
}

fn day<S: serde::Serializer>(day: &Date, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(day)
}
