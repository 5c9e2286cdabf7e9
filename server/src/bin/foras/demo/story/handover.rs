//! A case is handed over to the mission in Mali.

use foras_record::kind::Kind;

use super::{Acquaintance, BAMAKO, HOST, Story};
use crate::demo::journal::{Written, Wrote};
use crate::output::Failure;

/// The country of return in the story.
const MALI: &str = "ML";

impl Story<'_> {
    /// Proposed offline at Oujda, accepted in Bamako.
    pub(super) fn hand_over(&mut self) -> Result<(), Failure> {
        self.teller.part("A case is handed over to Mali")?;
        let person = self.migrant.clone();
        self.propose(&person)?;
        self.teller.tell(&format!("Host counsellor, Oujda, offline: proposes the case of {} to Mali", person.name))?;
        self.device(HOST)?.sync_all()?;
        self.device(BAMAKO)?.sync_all()?;
        let held = self.held_in_bamako(&person)?;
        self.teller
            .tell(&format!("The server rules it valid, for the consent is there; Bamako receives {held} records"))?;
        self.journal.edit(&mut self.devices, BAMAKO, &person.case, |phone| {
            let event = phone.accept_handover(&person.case)?.event;
            Ok(vec![Written::new(Kind::Case, format!("handover/{event}"), Wrote::Event)])
        })?;
        self.come_to_rest()?;
        let shown = self.device(HOST)?.phone.show(&person.case)?;
        let holder = shown.standing.map(|standing| standing.holder).unwrap_or_default();
        let held = self.held_in_bamako(&person)?;
        if holder != MALI {
            return Err(Failure::refused("not_accepted", "the acceptance did not take effect", "report it"));
        }
        self.teller.tell(&format!(
            "Bamako accepts; Oujda sees that {holder} holds the case, Bamako now has {held} records of it"
        ))
    }

    /// The host counsellor proposes a case to the mission in Mali.
    pub(super) fn propose(&mut self, person: &Acquaintance) -> Result<(), Failure> {
        self.journal.edit(&mut self.devices, HOST, &person.case, |phone| {
            let event = phone.propose_handover(&person.case, MALI)?.event;
            Ok(vec![Written::new(Kind::Case, format!("handover/{event}"), Wrote::Event)])
        })
    }

    /// How many records of a case the phone in Bamako holds.
    pub(super) fn held_in_bamako(&mut self, person: &Acquaintance) -> Result<usize, Failure> {
        match self.device(BAMAKO)?.phone.show(&person.case) {
            Ok(shown) => Ok(shown.records.len()),
            Err(foras::Error::NotFound) => Ok(0),
            Err(error) => Err(error.into()),
        }
    }
}
