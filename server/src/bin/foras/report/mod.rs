//! `foras report`: the programme's figures, counted from the facts of a data folder, also while a server runs on it.

mod print;

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use foras_record::indicator::{self, ANY_PROGRAMME, By, Period, Query, SessionFilter};
use foras_record::kinds::{MODULES, PROGRAMMES};
use foras_record::place::Country;
use foras_record::value;
use foras_server::Server;
use jiff::civil::Date;

use crate::output::{Failure, Terminal};

/// Count the programme's figures.
#[derive(Debug, Args)]
pub(crate) struct Report {
    /// The server's data folder.
    #[arg(long, value_name = "DIR")]
    data: PathBuf,
    /// The first day, YYYY-MM-DD.
    #[arg(long, value_name = "DATE", value_parser = day)]
    from: Date,
    /// The last day, YYYY-MM-DD.
    #[arg(long, value_name = "DATE", value_parser = day)]
    to: Date,
    /// A row for each combination of nationality, sex, point, module, age_band, country.
    #[arg(long, value_name = "LIST", value_delimiter = ',', value_parser = dimension)]
    by: Vec<By>,
    /// AVRR, FORAS, "FORAS II", or any.
    #[arg(long, value_name = "PROGRAMME", value_parser = programme)]
    programme: Option<String>,
    /// The modules that count as trained; every module but awareness where it is left out.
    #[arg(long, value_name = "LIST", value_delimiter = ',', value_parser = module)]
    modules: Vec<String>,
    /// Only sessions of this sort: group or individual, virtual or on_site, with the mission of a country such as GN.
    #[arg(long, value_name = "LIST", value_delimiter = ',', value_parser = sort_of_session)]
    sessions: Vec<SortOfSession>,
    /// Cells above 0 and below this are left out, so that nobody is recognised; 0 shows all.
    #[arg(long, value_name = "N", default_value_t = SUPPRESS)]
    suppress: u64,
    /// How the report is printed.
    #[arg(long, value_enum)]
    format: Option<Format>,
}

/// Smallest number of people that leaves the programme, by default. Source: the programme's own rule.
const SUPPRESS: u64 = 5;

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// Columns to read.
    Table,
    /// One object.
    Json,
    /// One line per row, then the total.
    Csv,
}

/// One property of sessions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum SortOfSession {
    Format(indicator::Format),
    Virtual(bool),
    With(Country),
}

impl Report {
    /// Runs the command.
    pub(crate) fn run(self, terminal: &Terminal) -> Result<(), Failure> {
        let format = match self.format {
            Some(Format::Json) => Format::Json,
            Some(_) if terminal.is_json() => {
                return Err(Failure::misuse(
                    "--json and another --format contradict each other",
                    "leave one of them out",
                ));
            }
            None if terminal.is_json() => Format::Json,
            Some(format) => format,
            None => Format::Table,
        };
        let query = self.query()?;
        let facts = Server::attach(&self.data)?.facts()?;
        let report = indicator::report(&facts, &query);
        match format {
            Format::Json => Terminal::new(true).result(&report, String::new),
            Format::Table => Terminal::new(false).result(&report, || print::table(&report, &query)),
            Format::Csv => {
                let lines = print::csv(&report, &query)?;
                Terminal::new(false).result(&report, || lines)
            }
        }
    }

    fn query(&self) -> Result<Query, Failure> {
        if self.from > self.to {
            return Err(Failure::misuse("the period ends before it begins", "--from is the first day, --to the last"));
        }
        if self.by.iter().enumerate().any(|(index, by)| self.by.iter().skip(index + 1).any(|other| other == by)) {
            return Err(Failure::misuse("--by names something twice", "name each once"));
        }
        Ok(Query {
            period: Period { from: self.from, to: self.to },
            by: self.by.clone(),
            programme: self.programme.clone(),
            modules: self.modules.iter().cloned().collect(),
            sessions: sessions(&self.sessions)?,
            suppress: self.suppress,
        })
    }
}

fn sessions(sorts: &[SortOfSession]) -> Result<SessionFilter, Failure> {
    let mut filter = SessionFilter::default();
    for sort in sorts {
        let is_new = match *sort {
            SortOfSession::Format(format) => filter.format.replace(format).is_none(),
            SortOfSession::Virtual(is_virtual) => filter.is_virtual.replace(is_virtual).is_none(),
            SortOfSession::With(country) => filter.country.replace(country).is_none(),
        };
        if !is_new {
            return Err(Failure::misuse(
                "--sessions says two things that exclude each other",
                "name group or individual, virtual or on_site, and one country at most",
            ));
        }
    }
    Ok(filter)
}

fn day(text: &str) -> Result<Date, String> {
    value::date(text).ok_or_else(|| "no such day; a date is YYYY-MM-DD".to_owned())
}

fn dimension(text: &str) -> Result<By, String> {
    text.parse().map_err(|_| "a report is by nationality, sex, point, module, age_band or country".to_owned())
}

fn programme(text: &str) -> Result<String, String> {
    let mut known = PROGRAMMES.iter().chain(&[ANY_PROGRAMME]);
    let found = known.find(|known| known.eq_ignore_ascii_case(text));
    found.map(|known| (*known).to_owned()).ok_or_else(|| "a programme is AVRR, FORAS, \"FORAS II\", or any".to_owned())
}

fn module(text: &str) -> Result<String, String> {
    let known = MODULES.contains(&text).then(|| text.to_owned());
    known.ok_or_else(|| format!("a module is one of {}", MODULES.join(", ")))
}

fn sort_of_session(text: &str) -> Result<SortOfSession, String> {
    match text {
        "virtual" => Ok(SortOfSession::Virtual(true)),
        "on_site" => Ok(SortOfSession::Virtual(false)),
        _ => {
            let of_format = text.parse().map(SortOfSession::Format).ok();
            let with = || text.parse::<Country>().ok().filter(|country| Country::MISSIONS.contains(country));
            let known = "sessions are group, individual, virtual, on_site, or with the mission of a country, as GN";
            of_format.or_else(|| with().map(SortOfSession::With)).ok_or_else(|| known.to_owned())
        }
    }
}
