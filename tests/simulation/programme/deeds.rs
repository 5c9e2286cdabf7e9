//! What people write.

use foras::Error;
use foras::phone::NewSession;
use foras_record::role::Role;
use foras_tests::world::canary::canary;

use super::Programme;
use super::cast::Member;

/// Fields of a project and of a session that are written at random.
const OF_PROJECT: [&str; 4] = ["education", "needs", "skills", "project_idea"];
const OF_SESSION: [&str; 3] = ["place", "trainer", "partner"];
/// Cases after which nobody new is registered: people meet over few cases more often than over many.
const CASES_MAX: usize = 14;
/// Sessions of one place.
const SESSIONS_MAX: usize = 5;
/// What a phone may say to somebody who asks at the wrong moment; anything else is a fault.
const TOLERATED: [&str; 9] = [
    "not_allowed",
    "not_found",
    "not_proposed",
    "refused",
    "revoked",
    "locked",
    "no_case_number",
    "storage_full",
    "storage_failed",
];

impl Programme {
    /// One deed; whether it was an edit that was acknowledged.
    pub(crate) fn deed(&mut self, member: &Member) -> bool {
        let done = if self.chance.percent(75) { self.edit(member) } else { self.other_deed(member).map(|()| false) };
        done.unwrap_or_else(|error| {
            assert!(TOLERATED.contains(&error.code()), "{}: {error}", error.code());
            false
        })
    }

    fn edit(&mut self, member: &Member) -> Result<bool, Error> {
        let Some((subject, field)) = self.subject(member) else { return self.plan(member).map(|()| false) };
        if !self.world.looks_for(member.number, &subject)? {
            return Ok(false);
        }
        self.values += 1;
        self.world.edit(member.number, &subject, field, &canary(self.values)).map(|()| true)
    }

    /// A field to edit: of a case, or of a session.
    fn subject(&mut self, member: &Member) -> Option<(String, &'static str)> {
        let of_place = |all: &[(String, &'static str)], place| {
            all.iter().filter(|(_, of)| *of == place).map(|(id, _)| id.clone()).collect::<Vec<_>>()
        };
        let cases = match member.post.role {
            Role::Outreach | Role::HostCounsellor => of_place(&self.cases, member.post.place),
            Role::OriginCounsellor => self.cases.iter().map(|(id, _)| id.clone()).collect(),
            Role::Migrant => member.own_case.iter().cloned().collect(),
            _ => Vec::new(),
        };
        let sessions = if member.own_case.is_some() { Vec::new() } else { of_place(&self.sessions, member.post.place) };
        let of_case = !cases.is_empty() && (sessions.is_empty() || self.chance.percent(70));
        let (subjects, fields) = if of_case { (&cases, &OF_PROJECT[..]) } else { (&sessions, &OF_SESSION[..]) };
        let field = *self.chance.one_of(fields);
        (!subjects.is_empty()).then(|| (self.chance.one_of(subjects).clone(), field))
    }

    fn other_deed(&mut self, member: &Member) -> Result<(), Error> {
        let (number, post) = (member.number, member.post);
        let registers = matches!(post.role, Role::Outreach | Role::HostCounsellor);
        let here = self.cases.iter().filter(|(_, point)| *point == post.place).count();
        if registers && (here == 0 || (self.cases.len() < CASES_MAX && self.chance.percent(40))) {
            let case = self.world.register(number, &format!("Person {}", self.cases.len()), post.place)?;
            self.cases.push((case, post.place));
            return Ok(());
        }
        let planned = self.sessions.iter().filter(|(_, place)| *place == post.place).count();
        if member.own_case.is_none() && planned < SESSIONS_MAX && self.chance.percent(40) {
            return self.plan(member);
        }
        let Some((case, _)) = (!self.cases.is_empty()).then(|| self.chance.one_of(&self.cases).clone()) else {
            return Ok(());
        };
        match self.chance.below(12) {
            0..=2 => self.world.consent_to_share(number, &case),
            3 => {
                self.world.withdraw(number, &case)?;
                self.world.faults.count("consent_withdrawn");
                Ok(())
            }
            4..=6 => {
                self.world.phone(number).propose_handover(&case, "ML")?;
                self.world.faults.count("handover_proposed");
                Ok(())
            }
            7 | 8 => {
                self.world.phone(number).accept_handover(&case)?;
                self.world.faults.count("handover_accepted");
                Ok(())
            }
            9 => self.world.phone(number).note(&case, "An interview.").map(drop),
            10 => self.roll_call(member, &case),
            _ => self.feedback(member),
        }
    }

    fn plan(&mut self, member: &Member) -> Result<(), Error> {
        let post = member.post;
        let is_virtual = post.role == Role::OriginCounsellor;
        let session = NewSession {
            module: "awareness".to_owned(),
            point: if is_virtual { "oujda" } else { post.place }.to_owned(),
            start: "2026-10-05T10:00:00+01:00".to_owned(),
            minutes: 90,
            capacity: 12,
            is_virtual,
            individual: false,
        };
        let planned = self.world.phone(member.number).add_session(&session)?;
        self.sessions.push((planned.id, post.place));
        Ok(())
    }

    fn roll_call(&mut self, member: &Member, case: &str) -> Result<(), Error> {
        let Some((session, _)) = (!self.sessions.is_empty()).then(|| self.chance.one_of(&self.sessions).clone()) else {
            return Ok(());
        };
        let outcome = *self.chance.one_of(&["present", "partly", "absent"]);
        self.world.phone(member.number).attend(&session, case, outcome).map(drop)
    }

    /// People answer at the point where they were.
    fn feedback(&mut self, member: &Member) -> Result<(), Error> {
        let here = self.sessions.iter().find(|(_, place)| *place == member.post.place);
        let Some((session, _)) = here.cloned() else { return Ok(()) };
        match self.world.phone(member.number).feedback(&session, "yes", None) {
            Ok(_) => self.world.oracle.deposits += 1,
            Err(Error::StorageFailed) => {
                // It may have been kept all the same.
                self.world.oracle.deposits += 1;
                self.world.oracle.deposits_unsure += 1;
            }
            Err(error) => return Err(error),
        }
        Ok(())
    }
}
