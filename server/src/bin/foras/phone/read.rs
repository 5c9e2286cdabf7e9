//! The commands that read the store.

use clap::Args;
use foras::phone::{self, Filter};

use super::text;
use crate::output::{Failure, Terminal};

/// List people, sessions, notes and other records.
#[derive(Debug, Args)]
pub(crate) struct List {
    /// people, sessions, notes, modules, country_notes, cases, badges, projects, paths, assessments or feedback.
    what: String,
    /// Only those of this orientation point.
    #[arg(long)]
    point: Option<String>,
    /// Only those whose names, phones or numbers begin with these words.
    #[arg(long, allow_hyphen_values = true)]
    search: Option<String>,
    /// Which page, from 1.
    #[arg(long, default_value_t = 1)]
    page: u32,
}

impl List {
    pub(crate) fn run(self, phone: &mut foras::Phone, terminal: &Terminal) -> Result<(), Failure> {
        let filter = Filter { point: self.point, search: self.search, page: self.page };
        let listing = phone.list(&self.what, &filter)?;
        terminal.result(&listing, || text::listing(&listing))
    }
}

/// Fields that hold concurrent values.
#[derive(Debug, Args)]
pub(crate) struct Conflicts {
    /// Which page, from 1.
    #[arg(long, default_value_t = 1)]
    page: u32,
}

impl Conflicts {
    pub(crate) fn run(self, phone: &mut foras::Phone, terminal: &Terminal) -> Result<(), Failure> {
        let listing = phone.conflicts(self.page)?;
        terminal.result(&listing, || text::conflicts(&listing))
    }
}

/// Everything held about a person, or a session.
#[derive(Debug, Args)]
pub(crate) struct Show {
    /// A case's id or number, or a session's id.
    id: String,
}

impl Show {
    pub(crate) fn run(self, phone: &mut foras::Phone, terminal: &Terminal) -> Result<(), Failure> {
        let shown = phone.show(&self.id)?;
        terminal.result(&shown, || text::shown(&shown))
    }
}

/// What is pending, when each audience was last brought up to date, how long the lease lasts.
pub(crate) fn status(phone: &mut foras::Phone, terminal: &Terminal) -> Result<(), Failure> {
    let status = phone.status()?;
    terminal.result(&status, || text::status(&status))
}

/// The fields that `register`, `edit` and `session` set.
pub(crate) fn fields(terminal: &Terminal) -> Result<(), Failure> {
    let listing = phone::fields();
    terminal.result(&listing, || text::fields(&listing))
}
