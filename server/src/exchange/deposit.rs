//! Deposits: what is handed in beside the push. The server writes the record under its own actor and keeps no sender.

use foras_record::document::{Edit, Write};
use foras_record::identity;
use foras_record::kind::Kind;
use foras_record::place::{Place, Point};
use foras_record::role::Role;
use foras_record::value;
use foras_wire::sync::{AnswerFrame, Deposit, DepositAck};
use serde::Deserialize;

use super::{Exchange, Sink};
use crate::error::ServerError;
use crate::storage::records;

/// Longest body of a deposit, in bytes.
const DEPOSIT_BYTES_MAX: usize = 2048;
/// Times of deposits are kept to the day: finer ones would tell who was in contact at that moment.
const DAY_MS: i64 = 24 * 3600 * 1000;

/// An answer to the satisfaction survey.
#[derive(Debug, Deserialize)]
struct Feedback {
    point: String,
    programme: String,
    session: Option<String>,
    module: Option<String>,
    satisfied: String,
    language: Option<String>,
    day: String,
}

impl Exchange<'_> {
    /// Takes the deposits; false when the receiver is gone.
    pub(super) fn take_deposits(&self, sink: &mut Sink<'_>) -> bool {
        if self.request.deposits.is_empty() {
            return true;
        }
        let mut acks = Vec::new();
        for deposits in self.request.deposits.chunks(64) {
            let taken = self.server.record(self.now_ms, |intake| {
                let mut acks = Vec::new();
                for deposit in deposits {
                    let refused = match self.edits(deposit) {
                        Ok(edits) => {
                            let record = identity::record(Kind::Feedback, deposit.id, None);
                            if records::get(intake.db(), &record.key)?.is_none() {
                                let day_ms = self.now_ms.div_euclid(DAY_MS) * DAY_MS;
                                intake.write_as_server(&record, Kind::Feedback, &edits, day_ms)?;
                            }
                            None
                        }
                        Err(code) => Some(code.to_owned()),
                    };
                    acks.push(DepositAck { id: deposit.id, refused });
                }
                Ok(acks)
            });
            match taken {
                Ok(taken) => acks.extend(taken),
                // Not acknowledged: the device hands them in again.
                Err(error) => {
                    let error: ServerError = error;
                    tracing::warn!(code = error.code(), "deposits could not be taken");
                    break;
                }
            }
        }
        sink(AnswerFrame::DepositAcks(acks))
    }

    fn edits(&self, deposit: &Deposit) -> Result<Vec<Edit>, &'static str> {
        if deposit.body.len() > DEPOSIT_BYTES_MAX {
            return Err("too_large");
        }
        let feedback: Feedback = serde_json::from_str(&deposit.body).map_err(|_| "malformed")?;
        if !self.may_deposit(&feedback) {
            return Err("not_allowed");
        }
        let fields = [
            ("point", Some(feedback.point)),
            ("programme", Some(feedback.programme)),
            ("session", feedback.session),
            ("module", feedback.module),
            ("satisfied", Some(feedback.satisfied)),
            ("language", feedback.language),
            ("day", Some(feedback.day)),
        ];
        let mut edits = Vec::new();
        for (name, text) in fields {
            let Some(text) = text else { continue };
            let field = Kind::Feedback.rule().field(name).ok_or("unknown_field")?;
            let value = value::check(&field.value, &text).map_err(|error| error.code())?;
            edits.push(Edit::of(field, Write::Put(value)));
        }
        Ok(edits)
    }

    /// Staff hand in at their own points; a person, and the mission, for any.
    fn may_deposit(&self, feedback: &Feedback) -> bool {
        let Ok(role) = self.caller.grant.role.parse::<Role>() else { return false };
        let at_own_point = || {
            let point: Option<Point> = feedback.point.parse().ok();
            point.is_some_and(|point| self.caller.grant.places.contains(&Place::Point(point).to_string()))
        };
        match role {
            Role::Migrant | Role::OriginCounsellor => true,
            Role::Outreach | Role::Trainer | Role::HostCounsellor => at_own_point(),
            Role::Coordinator | Role::Admin | Role::Server => false,
        }
    }
}
