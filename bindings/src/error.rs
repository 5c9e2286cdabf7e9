//! The one error that crosses the boundary.

/// What went wrong, in words and as a code.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct Failure {
    /// The stable code, in lower case with underscores.
    pub code: String,
    /// One sentence; it holds no personal data.
    pub message: String,
    /// Whether the same call may succeed later with nothing else changed.
    pub retryable: bool,
    /// What to do about it.
    pub what_to_do: String,
    /// The field that is meant, where one is.
    pub field: Option<String>,
}

/// Everything that may go wrong, by what an app does about it. The code in the failure says more.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, uniffi::Error)]
pub enum ForasError {
    /// The server is not reached. Nothing is lost.
    #[error("{}", failure.message)]
    Offline {
        /// What went wrong.
        failure: Failure,
    },
    /// This phone has no grant yet.
    #[error("{}", failure.message)]
    NotEnrolled {
        /// What went wrong.
        failure: Failure,
    },
    /// The server ended this phone's grant.
    #[error("{}", failure.message)]
    Revoked {
        /// What went wrong.
        failure: Failure,
    },
    /// Too long without contact: stored records are hidden until the next sync.
    #[error("{}", failure.message)]
    Locked {
        /// What went wrong.
        failure: Failure,
    },
    /// The storage is full or failed; nothing was changed.
    #[error("{}", failure.message)]
    StorageFull {
        /// What went wrong.
        failure: Failure,
    },
    /// The store was written by a newer version; it was left untouched.
    #[error("{}", failure.message)]
    TooOld {
        /// What went wrong.
        failure: Failure,
    },
    /// The server, or another process on the same store, is at work.
    #[error("{}", failure.message)]
    ServerBusy {
        /// What went wrong.
        failure: Failure,
    },
    /// A rule or the server does not allow it.
    #[error("{}", failure.message)]
    Refused {
        /// What went wrong.
        failure: Failure,
    },
    /// The store, or what the server sent, is damaged.
    #[error("{}", failure.message)]
    Corrupt {
        /// What went wrong.
        failure: Failure,
    },
    /// This phone holds no such record.
    #[error("{}", failure.message)]
    NotFound {
        /// What went wrong.
        failure: Failure,
    },
    /// The call cannot mean anything, or a value cannot be.
    #[error("{}", failure.message)]
    Misuse {
        /// What went wrong.
        failure: Failure,
    },
}

impl From<foras::Error> for ForasError {
    fn from(error: foras::Error) -> Self {
        use foras::Error;
        let failure = failure(&error);
        match error {
            Error::Offline => Self::Offline { failure },
            Error::NotEnrolled => Self::NotEnrolled { failure },
            Error::Revoked => Self::Revoked { failure },
            Error::Locked => Self::Locked { failure },
            Error::StorageFull | Error::StorageFailed => Self::StorageFull { failure },
            Error::TooOld { .. } => Self::TooOld { failure },
            Error::ServerBusy { .. } | Error::InUse => Self::ServerBusy { failure },
            Error::Corrupt { .. } | Error::NotAStore | Error::BadAnswer { .. } => Self::Corrupt { failure },
            Error::NotFound => Self::NotFound { failure },
            Error::Misuse(_) | Error::InvalidValue { .. } | Error::NoAddress | Error::AlreadyEnrolled => {
                Self::Misuse { failure }
            }
            // Whatever rule the core learns to name next refuses something.
            _ => Self::Refused { failure },
        }
    }
}

fn failure(error: &foras::Error) -> Failure {
    let field = match error {
        foras::Error::InvalidValue { field, .. } | foras::Error::NotAllowed { field, .. } => field.map(str::to_owned),
        _ => None,
    };
    Failure {
        code: error.code().to_owned(),
        message: error.to_string(),
        retryable: error.retryable(),
        what_to_do: error.what_to_do().to_owned(),
        field,
    }
}

impl ForasError {
    /// The work was given up because nobody waited for it any more.
    pub(crate) fn given_up() -> Self {
        let failure = Failure {
            code: "given_up".to_owned(),
            message: "the phone was closed".to_owned(),
            retryable: true,
            what_to_do: "open the phone again; nothing is lost".to_owned(),
            field: None,
        };
        Self::ServerBusy { failure }
    }
}
