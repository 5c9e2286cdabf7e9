//! What may go wrong between two sides, with a stable code each.

/// A frame, body or signed document that cannot be read or trusted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WireError {
    /// Longer than a limit of [`crate::limits`].
    #[error("{what} is longer than {limit} bytes or items")]
    TooLarge {
        /// What was too large.
        what: &'static str,
        /// The limit, in bytes or items.
        limit: usize,
    },
    /// Not well-formed.
    #[error("{0} is malformed")]
    Malformed(&'static str),
    /// Ends before it is complete.
    #[error("{0} is cut short")]
    Truncated(&'static str),
    /// No version of the protocol is spoken by both sides.
    #[error("the other side speaks protocol {min} to {max}")]
    Version {
        /// Oldest version that the other side speaks.
        min: u16,
        /// Newest version that the other side speaks.
        max: u16,
    },
    /// A signature or a root that does not match what it vouches for.
    #[error("{0} does not match its signature")]
    Signature(&'static str),
}

impl WireError {
    /// The stable code of this error.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::TooLarge { .. } => "too_large",
            Self::Malformed(_) => "malformed",
            Self::Truncated(_) => "truncated",
            Self::Version { .. } => "version",
            Self::Signature(_) => "bad_signature",
        }
    }
}
