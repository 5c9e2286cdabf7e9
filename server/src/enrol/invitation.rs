//! Invitations: who may invite whom is the operator's matter; what an invitation may say is checked here.

use std::collections::BTreeSet;

use foras_record::place::{Country, Place};
use foras_record::role::Role;
use foras_wire::id::RecordId;
use foras_wire::invitation::Invitation;
use rusqlite::Connection;

use super::code::{self, CODE_MS, LOOKUP_CHARS};
use crate::entropy::{Entropy, draw};
use crate::error::ServerError;
use crate::keys::{Keys, digest};
use crate::storage::invitations::{self, StoredInvitation};
use crate::storage::settings;

/// How long an invitation may be used: 24 hours.
pub(crate) const INVITATION_MS: i64 = 24 * 3600 * 1000;
/// Longest name of a person who is invited, in characters.
const NAME_CHARS_MAX: usize = 120;
/// Draws of a code until none that is alive starts alike.
const LOOKUP_DRAWS_MAX: u32 = 64;

/// Who is invited.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invite {
    /// As what.
    pub role: Role,
    /// Where the person works: points for staff of the host country, countries for origin counsellors.
    pub places: BTreeSet<Place>,
    /// The migrant's own case.
    pub case: Option<RecordId>,
    /// What colleagues call the person.
    pub name: Option<String>,
}

/// An invitation, to hand over once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invited {
    /// The link, for a QR code.
    pub invitation: String,
    /// Ten characters, to say over the phone.
    pub code: String,
    /// Until when the link may be used, in milliseconds since 1970.
    pub expires_ms: i64,
}

impl Invite {
    /// # Errors
    /// [`ServerError::Misuse`] when role, places, case and name do not go together.
    pub fn check(&self) -> Result<(), ServerError> {
        let misuse = |why| Err(ServerError::Misuse(why));
        let points = self.places.iter().filter(|place| place.point().is_some()).count();
        let missions = self.places.iter().filter_map(|place| place.country());
        match self.role {
            Role::Outreach | Role::Trainer | Role::HostCounsellor if points == 0 || points < self.places.len() => {
                return misuse("this role works at orientation points: name casablanca, rabat or oujda");
            }
            Role::OriginCounsellor if self.places.is_empty() || points > 0 => {
                return misuse("an origin counsellor works in a country of return: name it, as ML");
            }
            Role::OriginCounsellor if !missions.clone().all(|country| Country::MISSIONS.contains(&country)) => {
                return misuse("the programme has no mission in that country");
            }
            Role::Coordinator | Role::Admin | Role::Migrant if !self.places.is_empty() => {
                return misuse("this role has no place of its own: leave the place out");
            }
            Role::Server => return misuse("nobody is invited as the server"),
            _ => {}
        }
        if (self.role == Role::Migrant) != self.case.is_some() {
            return misuse("a migrant is invited to the own case, and nobody else is: name it with --person");
        }
        let fits = |name: &str| {
            !name.trim().is_empty() && name.chars().count() <= NAME_CHARS_MAX && !name.chars().any(char::is_control)
        };
        if self.name.as_deref().is_some_and(|name| !fits(name)) {
            return misuse("a name has 1 to 120 characters and no control characters");
        }
        Ok(())
    }
}

/// Makes an invitation. Only hashes of its secrets are kept.
pub(crate) fn invite(
    db: &Connection,
    keys: &Keys,
    invite: &Invite,
    now_ms: i64,
    entropy: &mut dyn Entropy,
) -> Result<Invited, ServerError> {
    invite.check()?;
    let url = match settings::get(db, settings::PUBLIC_URL)? {
        Some(url) => url,
        None => settings::get(db, settings::ADDRESS)?.ok_or(ServerError::NoAddress)?,
    };
    let secret: [u8; 16] = draw(entropy)?;
    let code = free_code(db, now_ms, entropy)?;
    let places: Vec<_> = invite.places.iter().map(ToString::to_string).collect();
    let stored = StoredInvitation {
        secret_hash: digest(&secret),
        code_lookup: code.chars().take(LOOKUP_CHARS).collect(),
        code_hash: code_hash(keys, &code),
        code_expires_ms: now_ms.saturating_add(CODE_MS),
        code_tries: 0,
        role: invite.role.code().to_owned(),
        places: places.join(" "),
        case: invite.case,
        name: invite.name.clone().unwrap_or_default(),
        created_ms: now_ms,
        expires_ms: now_ms.saturating_add(INVITATION_MS),
        device: None,
    };
    invitations::add(db, &stored)?;
    let invitation = Invitation { server_url: url, server_key: keys.public(), secret };
    Ok(Invited { invitation: invitation.to_string(), code, expires_ms: stored.expires_ms })
}

/// A code whose first characters find no other live invitation.
fn free_code(db: &Connection, now_ms: i64, entropy: &mut dyn Entropy) -> Result<String, ServerError> {
    for _ in 0..LOOKUP_DRAWS_MAX {
        let code = code::new(entropy)?;
        let lookup: String = code.chars().take(LOOKUP_CHARS).collect();
        if invitations::by_lookup(db, &lookup)?.is_none_or(|other| other.code_expires_ms <= now_ms) {
            return Ok(code);
        }
    }
    Err(ServerError::Entropy)
}

/// A code is short, so it is hashed under the server's key: a copy of the database does not tell it.
pub(super) fn code_hash(keys: &Keys, code: &str) -> [u8; 32] {
    keys.mac("foras code", &[code.as_bytes()])
}
