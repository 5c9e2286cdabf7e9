//! The network is back: in whatever order the phones come, they end with the same content.

use foras::phone::ValueShown;
use foras_record::kind::Kind;

use super::{HOST, OUTREACH, PHONES, Story};
use crate::demo::laws;
use crate::output::Failure;

/// Two answers to one question, as a phone shows them.
struct Disagreement {
    name: String,
    case: String,
    value: ValueShown,
}

impl Story<'_> {
    /// Everybody reconnects, in random order.
    pub(super) fn reconnect(&mut self) -> Result<(), Failure> {
        self.teller.part("The network is back: the phones reconnect in random order")?;
        let mut order: Vec<usize> = (0..PHONES).collect();
        self.chance.shuffle(&mut order);
        for number in order {
            let device = self.device(number)?;
            let (sent, received) = device.sync()?;
            let sentence = format!("{}: {sent} changes sent, {received} received", device.name);
            self.teller.tell(&sentence)?;
        }
        self.come_to_rest()
    }

    /// Both of two concurrent values are kept and shown; one disagreement is settled. How many values stood beside the
    /// one in sight.
    pub(super) fn show_what_merged(&mut self) -> Result<usize, Failure> {
        self.teller.part("Nothing was overwritten")?;
        let kept = laws::concurrent_values(&mut self.devices)?;
        let values: usize = kept.values().sum();
        let fields = kept.len();
        self.teller.tell(&format!("{fields} fields hold what two people wrote at the same time: all is kept"))?;
        let Some(disagreement) = self.disagreement()? else { return Ok(values) };
        let Disagreement { name, case, value } = disagreement;
        let who = |author: &foras::phone::Author| author.name.clone().unwrap_or_else(|| author.role.clone());
        self.teller.tell(&format!("  {name} needs: {}, says {}", value.value, who(&value.by)))?;
        for other in &value.others {
            self.teller.tell(&format!("  and at the same time: {}, says {}", other.value, who(&other.by)))?;
        }
        let both = std::iter::once(&value.value).chain(value.others.iter().map(|other| &other.value));
        let settled = both.filter_map(|value| value.as_str()).collect::<Vec<_>>().join("; ");
        self.set(HOST, &case, &[Kind::Project], "needs", &settled)?;
        self.come_to_rest()?;
        if !self.needs(&case)?.is_some_and(|needs| needs.others.is_empty() && needs.value == settled.as_str()) {
            return Err(Failure::refused("not_settled", "a settled disagreement still shows", "report it"));
        }
        self.teller.tell("The host counsellor settles it; the outreach worker's phone shows one answer")?;
        Ok(values)
    }

    /// The first person about whose needs two colleagues wrote, as the outreach worker sees it.
    fn disagreement(&mut self) -> Result<Option<Disagreement>, Failure> {
        for person in self.people.clone() {
            if let Some(value) = self.needs(&person.case)?.filter(|value| !value.others.is_empty()) {
                return Ok(Some(Disagreement { name: person.name, case: person.case, value }));
            }
        }
        Ok(None)
    }

    fn needs(&mut self, case: &str) -> Result<Option<ValueShown>, Failure> {
        let shown = self.device(OUTREACH)?.phone.show(case)?;
        let project = shown.records.into_iter().find(|record| record.kind == Kind::Project.name());
        Ok(project.and_then(|mut project| project.fields.remove("needs")))
    }
}
