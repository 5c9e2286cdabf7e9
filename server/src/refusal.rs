//! Refusals of a whole request: a stable code, and whether the same may succeed later.

use foras_wire::sync::Refusal;

use crate::error::ServerError;

/// A refusal that repeating does not help.
pub(crate) fn refusal(code: &str) -> Refusal {
    Refusal { code: code.to_owned(), retryable: false, nonce: None, retry_after_s: 0 }
}

/// The server cannot serve now. What exactly failed is for its log, not for the other side.
pub(crate) fn unavailable(error: &ServerError) -> Refusal {
    tracing::error!(code = error.code(), "a request could not be served");
    let code = if error.code() == "storage_full" { "storage_full" } else { "server_busy" };
    Refusal { code: code.to_owned(), retryable: true, nonce: None, retry_after_s: 5 }
}
