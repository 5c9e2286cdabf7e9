//! The day without a network: five people work, each alone with a phone.

use foras::phone::{ConsentEvent, NewSession, Setting};
use foras_record::calendar;
use foras_record::kind::Kind;

use super::{Acquaintance, HOST, MIGRANT, OUTREACH, Story, TRAINER};
use crate::demo::journal::{Written, Wrote};
use crate::output::Failure;

/// People called out by the trainer, at most.
const ROLL_CALL: usize = 12;
/// Of those, people whom the outreach worker also notes, and saw leave early.
const NOTED_BY_BOTH: usize = 3;

impl Story<'_> {
    /// Still with a network: a workshop is planned for today and people are enrolled in it.
    pub(super) fn plan_the_day(&mut self) -> Result<(), Failure> {
        let today = calendar::day_of(self.device(HOST)?.phone.now_ms().div_euclid(1_000));
        let participants: Vec<String> = self.people.iter().take(ROLL_CALL).map(|person| person.case.clone()).collect();
        let host = self.device(HOST)?;
        let session = host.phone.add_session(&NewSession {
            module: "life_soft_skills".to_owned(),
            point: "oujda".to_owned(),
            start: format!("{today}T14:00:00+01:00"),
            minutes: 150,
            capacity: 16,
            is_virtual: false,
            individual: false,
        })?;
        for case in &participants {
            host.phone.enrol_in(&session.id, case, false)?;
        }
        self.session = session.id;
        self.come_to_rest()
    }

    /// Everybody works with no network. What a phone says is saved is on its disk.
    pub(super) fn work_offline(&mut self) -> Result<(), Failure> {
        self.teller.part("A day at Oujda without a network")?;
        let people = self.people.clone();
        for (number, person) in people.iter().enumerate() {
            self.outreach_works_on(number, person)?;
            self.host_works_on(number, person)?;
        }
        self.roll_call(&people)?;
        self.migrant_consents()?;
        let shared = people.len();
        for (number, about) in [
            (OUTREACH, format!("edits of {shared} people, three of them at the roll call")),
            (HOST, format!("edits of the same {shared} people, and one interview noted")),
            (TRAINER, "entries in the roll call".to_owned()),
            (
                MIGRANT,
                "of the own case: how to be reached, and consent to share it with the mission in Mali".to_owned(),
            ),
        ] {
            let made = self.journal.of(number);
            let name = self.device(number)?.name.clone();
            self.teller.tell(&format!("{name}: {made} {about}"))?;
        }
        Ok(())
    }

    /// Sets a field, which these kinds hold.
    pub(super) fn set(
        &mut self,
        by: usize,
        case: &str,
        kinds: &[Kind],
        field: &str,
        value: &str,
    ) -> Result<(), Failure> {
        self.journal.edit(&mut self.devices, by, case, |phone| {
            phone.edit(case, &[Setting::new(field, value)])?;
            Ok(kinds.iter().map(|kind| Written::value(*kind, field, value)).collect())
        })
    }

    fn outreach_works_on(&mut self, number: usize, person: &Acquaintance) -> Result<(), Failure> {
        let case = &person.case;
        match number % 2 {
            0 => self.set(
                OUTREACH,
                case,
                &[Kind::Project],
                "needs",
                &format!("hébergement d'urgence, visite {}", number + 1),
            )?,
            _ => self.set(OUTREACH, case, &[Kind::Person], "literacy", "some")?,
        }
        if number.is_multiple_of(4) {
            self.set(OUTREACH, case, &[Kind::Person], "channel", "whatsapp")?;
        }
        if number.is_multiple_of(6) {
            self.set(OUTREACH, case, &[Kind::Person, Kind::Badge], "name", &format!("{}h", person.name))?;
        }
        if number % 3 == 1 {
            self.add_number(case, &person.phones, number)?;
        }
        Ok(())
    }

    fn host_works_on(&mut self, number: usize, person: &Acquaintance) -> Result<(), Failure> {
        let case = &person.case;
        match number % 2 {
            0 => self.set(HOST, case, &[Kind::Project], "needs", &format!("suivi médical, visite {}", number + 1))?,
            _ => self.set(HOST, case, &[Kind::Project], "skills", &format!("couture, niveau {}", number % 3 + 1))?,
        }
        if number.is_multiple_of(4) {
            self.set(HOST, case, &[Kind::Person], "channel", "call")?;
        }
        if number.is_multiple_of(6) {
            self.set(HOST, case, &[Kind::Person, Kind::Badge], "name", &format!("{}e", person.name))?;
        }
        Ok(())
    }

    /// A second telephone: the numbers known stay.
    fn add_number(&mut self, case: &str, known: &[String], number: usize) -> Result<(), Failure> {
        let new = format!("+2126001{number:05}");
        let settings: Vec<Setting> =
            known.iter().chain(std::iter::once(&new)).map(|phone| Setting::new("phone", phone)).collect();
        self.journal.edit(&mut self.devices, OUTREACH, case, |phone| {
            phone.edit(case, &settings)?;
            Ok(vec![Written::new(Kind::Person, "phone", Wrote::Member(new))])
        })
    }

    fn roll_call(&mut self, people: &[Acquaintance]) -> Result<(), Failure> {
        let session = self.session.clone();
        let field = format!("attendance/{session}");
        for (number, person) in people.iter().take(ROLL_CALL).enumerate() {
            let outcome = if number % 5 == 4 { "absent" } else { "present" };
            let both = if number < NOTED_BY_BOTH { Some((OUTREACH, "partly")) } else { None };
            for (by, outcome) in std::iter::once((TRAINER, outcome)).chain(both) {
                self.journal.edit(&mut self.devices, by, &person.case, |phone| {
                    phone.attend(&session, &person.case, outcome)?;
                    Ok(vec![Written::value(Kind::Path, &field, outcome)])
                })?;
            }
        }
        Ok(())
    }

    /// The migrant says how to be reached, which the outreach worker notes otherwise, and consents to share the case. The
    /// host counsellor notes the interview of the morning.
    fn migrant_consents(&mut self) -> Result<(), Failure> {
        let case = self.migrant.case.clone();
        self.set(MIGRANT, &case, &[Kind::Person], "channel", "whatsapp")?;
        self.set(OUTREACH, &case, &[Kind::Person], "channel", "sms")?;
        self.share(MIGRANT, &case, "given")?;
        let text = "Souhaite ouvrir un atelier de couture à Sikasso avec sa sœur.";
        self.journal.edit(&mut self.devices, HOST, &case, |phone| {
            let note = phone.note(&case, text)?;
            Ok(vec![Written::of(&note.id, Written::value(Kind::Note, "text", text))])
        })
    }

    /// Records what somebody said about sharing the case with the mission.
    pub(super) fn share(&mut self, by: usize, case: &str, status: &str) -> Result<(), Failure> {
        let said = ConsentEvent {
            purpose: "share_with_origin_mission".to_owned(),
            status: status.to_owned(),
            form: if by == MIGRANT { "written" } else { "oral" }.to_owned(),
            ..ConsentEvent::default()
        };
        self.journal.edit(&mut self.devices, by, case, |phone| {
            let event = phone.consent(case, &said)?.event;
            Ok(vec![Written::new(Kind::Case, format!("consent/{event}"), Wrote::Event)])
        })
    }
}
