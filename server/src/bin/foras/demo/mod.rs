//! `foras demo`: the whole path on a synthetic programme, from edits made offline to every phone that may see them.
//!
//! | file | what it is about |
//! |---|---|
//! | `programme` | the synthetic people |
//! | `figures` | what the programme published, counted again |
//! | `office`, `device`, `load` | a server, phones, and how the programme gets in |
//! | `story` | one day offline, what merges, a handover, a withdrawal |
//! | `journal`, `laws` | what was acknowledged, and what must hold at rest |
//! | `tell`, `outcome`, `visit`, `interrupt` | what is printed, serving on, being told to stop |

mod device;
mod figures;
mod interrupt;
mod journal;
mod laws;
mod load;
mod office;
mod outcome;
mod programme;
mod story;
mod tell;
mod visit;

use clap::Args;

use crate::output::{Failure, Terminal};
use device::Device;
use interrupt::Interrupt;
use office::Office;
use outcome::Outcome;
use programme::{PEOPLE, Programme};
use story::Story;
use tell::Teller;
use visit::Visit;

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
    /// Also everybody who returned with assistance since 2005: 11,300 people. Takes a few minutes.
    #[arg(long)]
    full: bool,
    /// Exit after the story, instead of serving on.
    #[arg(long)]
    once: bool,
}

impl Demo {
    /// Runs the command.
    pub(crate) fn run(self, terminal: &Terminal) -> Result<(), Failure> {
        let teller = Teller::new(*terminal);
        let office = Office::open(self.port)?;
        let interrupt = Interrupt::watch(office.folder().to_owned(), *terminal)?;
        let outcome = self.tell(&office, &teller)?;
        let failure = outcome.failure();
        if self.once || failure.is_some() {
            terminal.result(&outcome.to_json(), || outcome.to_text())?;
        } else {
            let visit = Visit::invite(&office, &outcome)?;
            let mut result = outcome.to_json();
            result["serving"] = visit.to_json();
            terminal.result(&result, || format!("{}\n{}", outcome.to_text(), visit.to_text()))?;
            interrupt.wait();
        }
        office.close()?;
        failure.map_or(Ok(()), Err)
    }

    fn tell(&self, office: &Office, teller: &Teller) -> Result<Outcome, Failure> {
        let people = self.people as usize;
        let programme = Programme::new(people, self.seed, self.full);
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
        let comparison = laws::compare(&mut devices, &truth)?;
        teller.tell(&format!(
            "{} records on {} devices, compared with the server by content",
            comparison.compared,
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
            comparison,
            handovers_accepted: outcome::accepted(&facts),
            figures: figures::published(self.full).iter().map(|figure| figure.count(&facts)).collect(),
            bytes_up: devices.iter().map(|device| device.bytes_up).sum(),
            bytes_down: devices.iter().map(|device| device.bytes_down).sum(),
            loaded_s,
            seconds: teller.seconds(),
        })
    }
}

#[cfg(test)]
mod tests;
