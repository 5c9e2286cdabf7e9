//! `foras demo`: the whole path on a synthetic programme, from edits made offline to every phone that may see them.
//!
//! | file | what it is about |
//! |---|---|
//! | `programme` | the synthetic people |
//! | `figures` | what the programme published, counted again |
//! | `office`, `device`, `load` | a server, phones, and how the programme gets in |
//! | `story` | one day offline, what merges, a handover, a withdrawal |
//! | `journal`, `laws` | what was acknowledged, and what must hold at rest |
//! | `tell`, `outcome` | what is printed |

mod device;
mod figures;
mod journal;
mod laws;
mod load;
mod office;
mod outcome;
mod programme;
mod story;
mod tell;

use clap::Args;
use foras_record::place::{Place, Point};
use foras_record::role::Role;

use crate::output::{Failure, Terminal};
use crate::serve;
use device::Device;
use office::Office;
use outcome::Outcome;
use programme::{PEOPLE, Programme};
use story::Story;
use tell::Teller;

/// Show the whole path on a synthetic programme.
#[derive(Debug, Args)]
pub(crate) struct Demo {
    /// People of FORAS; the workshops of 2021 come on top.
    #[arg(long, value_name = "N", default_value_t = PEOPLE as u32, value_parser = clap::value_parser!(u32).range(0..=20_000))]
    people: u32,
    /// The same people and the same order of events for the same seed.
    #[arg(long, value_name = "S", default_value_t = 2019)]
    seed: u64,
    /// Where the server listens on 127.0.0.1; 0 takes a free port.
    #[arg(long, value_name = "P", default_value_t = 0)]
    port: u16,
    /// Exit after the story, instead of serving on.
    #[arg(long)]
    once: bool,
}

impl Demo {
    /// Runs the command.
    pub(crate) fn run(self, terminal: &Terminal) -> Result<(), Failure> {
        let teller = Teller::new(*terminal);
        let office = Office::open(self.port)?;
        let outcome = self.tell(&office, &teller)?;
        terminal.result(&outcome.to_json(), || outcome.to_text())?;
        let failed = outcome.failure();
        if !self.once && failed.is_none() {
            serve_on(&office, &outcome, terminal)?;
        }
        office.close()?;
        failed.map_or(Ok(()), Err)
    }

    fn tell(&self, office: &Office, teller: &Teller) -> Result<Outcome, Failure> {
        let people = self.people as usize;
        let programme = Programme::new(people, self.seed);
        teller.part(&format!("A programme of {} people enters, at three points", programme.lines.len()))?;
        let mut registries = load::load(office, &programme, teller)?;
        let loaded_s = teller.seconds();
        let mut story = Story::begin(office, teller, &programme, self.seed)?;
        let told = story.tell()?;
        teller.part("Everything is compared")?;
        for registry in &mut registries {
            registry.sync_all()?;
        }
        story.come_to_rest()?;
        let truth = office.server().content_by_audience()?;
        let tally = story.journal.tally(&mut story.devices, &truth)?;
        let phones = story.devices.len();
        let mut devices: Vec<Device> = std::mem::take(&mut story.devices);
        devices.append(&mut registries);
        let standing = laws::compare(&mut devices, &truth)?;
        teller.tell(&format!(
            "{} records on {} devices, compared with the server by content",
            standing.compared,
            devices.len()
        ))?;
        let facts = office.server().facts()?;
        Ok(Outcome {
            people,
            phones,
            seed: self.seed,
            offline_edits: story.journal.len(),
            told,
            tally,
            standing,
            handovers_accepted: outcome::accepted(&facts),
            figures: figures::published(false).iter().map(|figure| figure.count(&facts)).collect(),
            bytes_up: devices.iter().map(|device| device.bytes_up).sum(),
            bytes_down: devices.iter().map(|device| device.bytes_down).sum(),
            loaded_s,
            seconds: teller.seconds(),
        })
    }
}

/// Serves until told to stop, and says how to look.
fn serve_on(office: &Office, outcome: &Outcome, terminal: &Terminal) -> Result<(), Failure> {
    let counted = outcome.figures.first().map(|figure| figure.command.as_str()).unwrap_or_default();
    let (url, data) = (office.url(), office.data());
    let (data, folder) = (data.display(), office.folder().display());
    let invitation = office.invite(Role::HostCounsellor, Some(Place::Point(Point::Oujda)), None, "Visitor, Oujda")?;
    terminal.result(
        &serde_json::json!({"listening": url, "data": data.to_string(), "invitation": invitation}),
        || {
            format!(
                "\nThe server goes on at {url}. To look around, in another terminal:\n\
             \n  foras report --data {data} {counted}\
             \n  foras report --data {data} --from 2017-09-01 --to 2019-09-25 --by nationality,sex\
             \n  foras phone --store {folder}/phones/oujda-outreach conflicts\
             \n  foras phone --store visitor enrol '{invitation}'\
             \n  foras phone --store visitor sync\
             \n  foras phone --store visitor list people\n\
             \nEnd it with Ctrl-C; {folder} is then removed."
            )
        },
    )?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        serve::stop_signal()?.await;
        Ok(())
    })
}
