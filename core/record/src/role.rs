//! Roles: as whom a person uses Foras.

use std::fmt;
use std::str::FromStr;

/// A role, with the code that travels. Source: the programme's own division of work.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// Outreach worker (agent d'orientation) of one or more orientation points.
    Outreach,
    /// Trainer of a partner organisation (formateur).
    Trainer,
    /// Counsellor of the host mission (conseiller OIM Maroc).
    HostCounsellor,
    /// Counsellor of an origin mission (conseiller du pays d'origine).
    OriginCounsellor,
    /// The person registered (bénéficiaire).
    Migrant,
    /// Programme and M&E officer (coordinateur).
    Coordinator,
    /// Runs the server; no case content.
    Admin,
    /// The server itself: rulings, seats, deposits.
    Server,
}

impl Role {
    /// Every role.
    pub const ALL: [Self; 8] = [
        Self::Outreach,
        Self::Trainer,
        Self::HostCounsellor,
        Self::OriginCounsellor,
        Self::Migrant,
        Self::Coordinator,
        Self::Admin,
        Self::Server,
    ];

    /// The stable code.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Outreach => "outreach",
            Self::Trainer => "trainer",
            Self::HostCounsellor => "host_counsellor",
            Self::OriginCounsellor => "origin_counsellor",
            Self::Migrant => "migrant",
            Self::Coordinator => "coordinator",
            Self::Admin => "admin",
            Self::Server => "server",
        }
    }
}

/// A code that names no role.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("no such role")]
pub struct UnknownRole;

impl FromStr for Role {
    type Err = UnknownRole;

    fn from_str(code: &str) -> Result<Self, UnknownRole> {
        Self::ALL.into_iter().find(|role| role.code() == code).ok_or(UnknownRole)
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}
