//! The figures that the programme published, each with the question that counts it again. No figure is written down as
//! an answer: `published` is there to compare with.
//!
//! Sources: the communiqués of the seminar of September 2019 and of the workshops of early 2021.

use std::collections::BTreeSet;

use foras_record::indicator::{self, ANY_PROGRAMME, By, Facts, Figures, Format, Query, SessionFilter};
use foras_record::place::Country;
use jiff::civil::{Date, date};
use serde_json::{Value, json};

use super::programme::{BEGINS, SEMINAR};

/// Programmes, as cases name them.
const FORAS: &str = "FORAS";
const FORAS_II: &str = "FORAS II";

/// One published figure.
#[derive(Debug)]
pub(crate) struct Published {
    pub(crate) id: &'static str,
    /// What the figure is about, for people.
    pub(crate) says: &'static str,
    /// As published; a share is rounded to a hundredth.
    pub(crate) value: f64,
    indicator: Indicator,
    query: Query,
}

/// What of a report the figure is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Indicator {
    Registered,
    Oriented,
    Awareness,
    Trained,
    Satisfied,
    /// Registered people of the eight countries among all.
    OfEightCountries,
}

/// A published figure, counted again.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Counted {
    pub(crate) id: &'static str,
    pub(crate) says: &'static str,
    pub(crate) published: f64,
    /// None where nobody could be counted.
    pub(crate) value: Option<f64>,
    /// The same by sex, where that was published.
    pub(crate) by_sex: Vec<(String, u64)>,
    query: Value,
    /// The options of `foras report` that count it.
    pub(crate) command: String,
}

/// Every figure of the default demonstration, and with `full` also those of all returns since 2005.
pub(crate) fn published(full: bool) -> Vec<Published> {
    let training = ["life_soft_skills", "entrepreneurship_marketing"].map(str::to_owned);
    let year_2018 = || of(FORAS, date(2018, 1, 1), date(2018, 12, 31));
    let first_quarter = || of(FORAS_II, date(2021, 1, 1), date(2021, 3, 31));
    let mut figures = vec![
        Published {
            id: "foras_accompanied",
            says: "people oriented by FORAS, September 2017 to September 2019",
            value: 1385.0,
            indicator: Indicator::Oriented,
            query: of(FORAS, BEGINS, SEMINAR),
        },
        Published {
            id: "trained_2018",
            says: "of them trained in 2018 in life and soft skills, or in entrepreneurship and marketing",
            value: 276.0,
            indicator: Indicator::Trained,
            query: Query { modules: BTreeSet::from(training), ..year_2018() },
        },
        Published {
            id: "awareness_2018",
            says: "of them at group awareness sessions in 2018",
            value: 776.0,
            indicator: Indicator::Awareness,
            query: year_2018(),
        },
        Published {
            id: "satisfied",
            says: "satisfied, of those who answered",
            value: 0.96,
            indicator: Indicator::Satisfied,
            query: of(FORAS, BEGINS, SEMINAR),
        },
        Published {
            id: "trained_2021_q1",
            says: "people trained in the first quarter of 2021, FORAS II",
            value: 108.0,
            indicator: Indicator::Trained,
            query: first_quarter(),
        },
        Published {
            id: "guinea_virtual_group",
            says: "people in a virtual group session with the mission in Guinea, one of them a woman",
            value: 8.0,
            indicator: Indicator::Oriented,
            query: Query { sessions: with_guinea(), by: vec![By::Sex], ..first_quarter() },
        },
    ];
    if full {
        let since_2005 = || of(ANY_PROGRAMME, date(2005, 1, 1), SEMINAR);
        figures.push(Published {
            id: "avrr_since_2005",
            says: "people registered for return since 2005",
            value: 11_300.0,
            indicator: Indicator::Registered,
            query: since_2005(),
        });
        figures.push(Published {
            id: "share_eight_nationalities",
            says: "of them from the eight countries of the project",
            value: 0.76,
            indicator: Indicator::OfEightCountries,
            query: Query { by: vec![By::Nationality], ..since_2005() },
        });
    }
    figures
}

fn of(programme: &str, from: Date, to: Date) -> Query {
    Query { programme: Some(programme.to_owned()), ..Query::new(from, to) }
}

fn with_guinea() -> SessionFilter {
    SessionFilter { format: Some(Format::Group), is_virtual: Some(true), country: "GN".parse().ok() }
}

impl Published {
    /// Counts the figure from facts, as `foras report` does.
    pub(crate) fn count(&self, facts: &Facts) -> Counted {
        let report = indicator::report(facts, &self.query);
        let value = match self.indicator {
            Indicator::OfEightCountries => share_of_eight(&report),
            indicator => indicator.of(&report.total),
        };
        let by_sex = match self.query.by.as_slice() {
            [By::Sex] => report.rows.iter().filter_map(|row| {
                let number = self.indicator.of(&row.figures).filter(|number| *number > 0.0)?;
                let (_, sex) = row.of.first()?;
                // Whole people: the number came from one.
                Some((sex.clone(), number as u64))
            }),
            _ => return self.counted(value, Vec::new()),
        };
        let by_sex = by_sex.collect();
        self.counted(value, by_sex)
    }

    fn counted(&self, value: Option<f64>, by_sex: Vec<(String, u64)>) -> Counted {
        Counted {
            id: self.id,
            says: self.says,
            published: self.value,
            value,
            by_sex,
            query: self.asked(),
            command: self.command(),
        }
    }

    /// The question, in the words of `foras report`.
    fn asked(&self) -> Value {
        let query = &self.query;
        let mut asked = json!({
            "from": query.period.from.to_string(),
            "to": query.period.to.to_string(),
            "indicator": self.indicator.name(),
            "suppress": query.suppress,
        });
        for (name, value) in self.options() {
            asked[name] = if name == "modules" { json!(query.modules) } else { value.into() };
        }
        asked
    }

    fn options(&self) -> Vec<(&'static str, String)> {
        let query = &self.query;
        let by = query.by.iter().map(|by| by.code()).collect::<Vec<_>>().join(",");
        let modules = query.modules.iter().map(String::as_str).collect::<Vec<_>>().join(",");
        let sessions = &query.sessions;
        let sorts = [
            sessions.is_virtual.map(|is_virtual| if is_virtual { "virtual" } else { "on_site" }.to_owned()),
            sessions.format.map(|format| format.code().to_owned()),
            sessions.country.map(|country| country.code().to_owned()),
        ];
        let sessions = sorts.into_iter().flatten().collect::<Vec<_>>().join(",");
        let programme = query.programme.clone().unwrap_or_default();
        let options = [("programme", programme), ("modules", modules), ("sessions", sessions), ("by", by)];
        options.into_iter().filter(|(_, value)| !value.is_empty()).collect()
    }

    /// The question as options of `foras report`, but for the data folder.
    fn command(&self) -> String {
        let period = self.query.period;
        let mut command = format!("--from {} --to {} --suppress {}", period.from, period.to, self.query.suppress);
        for (name, value) in self.options() {
            let quote = if value.contains(' ') { "\"" } else { "" };
            command.push_str(&format!(" --{name} {quote}{value}{quote}"));
        }
        command
    }
}

impl Indicator {
    fn name(self) -> &'static str {
        match self {
            Self::Registered => "registered",
            Self::Oriented => "oriented",
            Self::Awareness => "awareness",
            Self::Trained => "trained",
            Self::Satisfied => "satisfied",
            Self::OfEightCountries => "share of registered",
        }
    }

    fn of(self, figures: &Figures) -> Option<f64> {
        let number = match self {
            Self::Registered | Self::OfEightCountries => figures.registered,
            Self::Oriented => figures.oriented,
            Self::Awareness => figures.awareness,
            Self::Trained => figures.trained,
            Self::Satisfied => return figures.satisfied.share,
        };
        number.and_then(|number| u32::try_from(number).ok()).map(f64::from)
    }
}

/// To a hundredth, as it was published.
fn share_of_eight(report: &indicator::Report) -> Option<f64> {
    let total = report.total.registered.filter(|total| *total > 0)?;
    let is_of_eight = |value: &str| Country::MISSIONS.iter().any(|country| country.code() == value);
    let of_eight = report.rows.iter().filter(|row| row.of.iter().any(|(_, value)| is_of_eight(value)));
    let sum: u64 = of_eight.filter_map(|row| row.figures.registered).sum();
    u32::try_from((sum * 200 + total) / (total * 2)).ok().map(|hundredths| f64::from(hundredths) / 100.0)
}

impl Counted {
    /// As the demonstration's result names it.
    pub(crate) fn to_json(&self) -> Value {
        let number = |value: f64| if value.fract() == 0.0 { json!(value as i64) } else { json!(value) };
        let mut figure = json!({
            "value": self.value.map(number),
            "published": number(self.published),
            "query": self.query,
            "report": self.command,
        });
        if !self.by_sex.is_empty() {
            figure["by_sex"] = self.by_sex.iter().map(|(sex, n)| (sex.clone(), json!(n))).collect();
        }
        figure
    }
}
