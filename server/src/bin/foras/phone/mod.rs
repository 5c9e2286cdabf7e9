//! `foras phone`: a phone in the terminal, on the same core as the apps.

mod bulk;
mod link;
mod read;
mod share;
mod text;
mod watch;
mod write;

use std::path::PathBuf;

use clap::{Args, Subcommand};

use crate::output::{Failure, Terminal};

/// A phone in the terminal.
#[derive(Debug, Args)]
pub(crate) struct Phone {
    /// Folder of the phone's store; made where it is missing.
    #[arg(long, global = true, value_name = "DIR")]
    store: Option<PathBuf>,
    /// Where the server is reached, instead of the address that the invitation names.
    #[arg(long, global = true, value_name = "URL")]
    server: Option<String>,
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Enrol this phone with an invitation, or with a code and --server.
    Enrol {
        /// The invitation's link, or its code of ten characters.
        invitation: String,
    },
    /// Exchange with the server: push what is pending, catch up.
    Sync {
        /// Stay in sync: what others write arrives by itself. A line for each change of state, until interrupted.
        #[arg(long)]
        watch: bool,
        /// Compare every record with the server's, whatever the phone's own counts say.
        #[arg(long)]
        check: bool,
    },
    /// Share unsent work with a phone nearby, with no server, or write it to a file.
    ///
    /// Both phones end with what either had and both may see; whichever meets the server first takes it along. Nothing is
    /// encrypted: share on a network of the two phones alone.
    Share(share::Share),
    /// Receive from a phone that shares, or from a file that one wrote.
    Receive(share::Receive),
    /// What is pending, when each audience was last brought up to date, how long the lease lasts.
    Status,
    /// Register a person who comes for the first time.
    Register(write::Register),
    /// Set fields of a person's records or of a session.
    Edit(write::Edit),
    /// Note a counselling interview.
    Note(write::Note),
    /// Sessions and workshops.
    Session(write::Session),
    /// Ask for a place in a session.
    EnrolIn(write::EnrolIn),
    /// Record who came.
    Attend(write::Attend),
    /// Record that somebody gives, refuses or withdraws a consent.
    Consent(write::Consent),
    /// Hand a case over to the mission of the country of return.
    Handover(write::Handover),
    /// Hand in an answer to the satisfaction survey, without a sender.
    Feedback(write::Feedback),
    /// List people, sessions, notes and other records.
    List(read::List),
    /// Fields that hold concurrent values.
    Conflicts(read::Conflicts),
    /// Everything held about a person, or a session.
    Show(read::Show),
    /// The fields that `register`, `edit` and `session` set.
    Fields,
    /// Write every case as a line of JSON, in the shape that `import` reads, with its id.
    ///
    /// Not in it: what an import gives anew (case number, who wrote when), interviews, handovers, earlier consents, and
    /// satisfaction, since nothing links an answer to its giver.
    Export,
    /// Register people from a file of JSON lines.
    ///
    /// Needed on each line: name, sex, birth_year, nationality, country, point, registered_on (YYYY-MM-DD), and
    /// consents with the form of `assist`, as {"assist":"oral"}, or else basis. Also: ref, modules, as
    /// [{"module":"awareness","on":"2026-10-05","attendance":"present"}], satisfaction (yes, no, none),
    /// vulnerabilities, and every field of person, case and project that `foras phone fields` lists. A line has at most
    /// 64 KiB. A person whom this phone holds already, by ref or else by the whole line, is left as it is.
    Import(bulk::Import),
    /// Make the edits of a file of JSON lines, each durable by itself.
    ///
    /// A line is {"id":"…","set":{"needs":"shelter","phone":["+212612345678"],"cv":null}}, or bears "ref" instead of
    /// "id". null clears; a list replaces the whole set.
    Apply(bulk::Apply),
}

impl Phone {
    /// Runs the command.
    pub(crate) fn run(self, terminal: &Terminal) -> Result<(), Failure> {
        if matches!(self.action, Action::Fields) {
            return read::fields(terminal);
        }
        let Some(dir) = self.store else {
            return Err(Failure::misuse("the folder of the phone's store is missing", "name it with --store DIR"));
        };
        let server = self.server.as_deref();
        let mut phone = foras::Phone::open(&dir)?;
        match self.action {
            Action::Enrol { invitation } => link::enrol(&mut phone, &invitation, server, terminal),
            Action::Sync { watch, check } => {
                if check {
                    phone.store_mut().compare_all()?;
                }
                let sync = if watch { watch::watch } else { link::sync };
                sync(&mut phone, server, terminal)
            }
            Action::Share(command) => command.run(&mut phone, terminal),
            Action::Receive(command) => command.run(&mut phone, terminal),
            Action::Status => read::status(&mut phone, terminal),
            Action::Register(command) => command.run(&mut phone, terminal),
            Action::Edit(command) => command.run(&mut phone, terminal),
            Action::Note(command) => command.run(&mut phone, terminal),
            Action::Session(command) => command.run(&mut phone, terminal),
            Action::EnrolIn(command) => command.run(&mut phone, terminal),
            Action::Attend(command) => command.run(&mut phone, terminal),
            Action::Consent(command) => command.run(&mut phone, terminal),
            Action::Handover(command) => command.run(&mut phone, terminal),
            Action::Feedback(command) => command.run(&mut phone, terminal),
            Action::List(command) => command.run(&mut phone, terminal),
            Action::Conflicts(command) => command.run(&mut phone, terminal),
            Action::Show(command) => command.run(&mut phone, terminal),
            Action::Fields => Ok(()),
            Action::Export => bulk::export(&mut phone, terminal),
            Action::Import(command) => command.run(&mut phone, terminal),
            Action::Apply(command) => command.run(&mut phone, terminal),
        }
    }
}
