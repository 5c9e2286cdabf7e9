//! Reading a body within a limit of bytes and of time.

use std::time::Duration;

use axum::body::{Body, HttpBody, to_bytes};
use axum::http::StatusCode;

/// How long a device's body may take to arrive: 2G carries a full push of a megabyte in that time.
pub(super) const DEVICE_TIMEOUT_S: u64 = 300;
/// The same for anybody else, whose body is short.
pub(super) const STRANGER_TIMEOUT_S: u64 = 30;

/// The whole body, at most `limit` bytes of it.
///
/// # Errors
/// 413 when it is longer, 408 when it takes too long.
pub(super) async fn read(body: Body, limit: usize, timeout_s: u64) -> Result<Vec<u8>, StatusCode> {
    // What says beforehand that it is too long is not read at all.
    if body.size_hint().lower() > limit as u64 {
        return Err(StatusCode::PAYLOAD_TOO_LARGE);
    }
    match tokio::time::timeout(Duration::from_secs(timeout_s), to_bytes(body, limit)).await {
        Ok(Ok(bytes)) => Ok(bytes.into()),
        Ok(Err(_)) => Err(StatusCode::PAYLOAD_TOO_LARGE),
        Err(_) => Err(StatusCode::REQUEST_TIMEOUT),
    }
}
