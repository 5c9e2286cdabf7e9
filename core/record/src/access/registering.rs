//! Where a case stands that a change is about to make.

use crate::change::{ParsedAction, ParsedChange, ParsedKey, ParsedScalar};
use crate::event::CaseEvent;
use crate::standing::Standing;

/// Where a case stands that `change` creates: at the point where it is being registered, before any ruling.
#[must_use]
pub fn registering(change: &ParsedChange) -> Standing {
    let point = change.ops.iter().find_map(|op| {
        let (ParsedKey::Field(key), ParsedAction::Put(ParsedScalar::Str(json))) = (&op.key, &op.action) else {
            return None;
        };
        let (family, _) = key.split_once('/')?;
        match CaseEvent::parse(family.parse().ok()?, json) {
            Ok(CaseEvent::Registered(registered)) => Some(registered.point),
            _ => None,
        }
    });
    Standing { awaiting_point: point, ..Standing::default() }
}
