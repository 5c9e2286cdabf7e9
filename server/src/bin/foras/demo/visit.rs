//! After the story the server goes on, for a visitor to look around.

use foras_record::place::{Place, Point};
use foras_record::role::Role;
use serde_json::{Value, json};

use super::office::Office;
use super::outcome::Outcome;
use crate::output::Failure;

/// What a visitor needs.
#[derive(Debug)]
pub(super) struct Visit {
    url: String,
    data: String,
    phones: String,
    invitation: String,
    /// The options of a report that counts one of the published figures.
    report: String,
}

impl Visit {
    /// Invites a visitor to the point of the story.
    pub(super) fn invite(office: &Office, outcome: &Outcome) -> Result<Self, Failure> {
        let oujda = Some(Place::Point(Point::Oujda));
        Ok(Self {
            url: office.url().to_owned(),
            data: office.data().display().to_string(),
            phones: office.folder().join("phones").display().to_string(),
            invitation: office.invite(Role::HostCounsellor, oujda, None, "Visitor, Oujda")?,
            report: outcome.figures.first().map(|figure| figure.command.clone()).unwrap_or_default(),
        })
    }

    pub(super) fn to_json(&self) -> Value {
        json!({"listening": self.url, "data": self.data, "phones": self.phones, "invitation": self.invitation})
    }

    pub(super) fn to_text(&self) -> String {
        let Self { url, data, phones, invitation, report } = self;
        [
            format!("The server goes on at {url}. To look around, in another terminal:"),
            String::new(),
            format!("  foras report --data {data} {report}"),
            format!("  foras report --data {data} --from 2017-09-01 --to 2019-09-25 --by nationality,sex"),
            format!("  foras phone --store {phones}/oujda-outreach conflicts"),
            format!("  foras phone --store visitor enrol '{invitation}'"),
            "  foras phone --store visitor sync".to_owned(),
            "  foras phone --store visitor list people".to_owned(),
            String::new(),
            "End it with Ctrl-C; what it stored is then removed.".to_owned(),
        ]
        .join("\n")
    }
}
