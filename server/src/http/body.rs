//! Reading a body within a limit of bytes and of time.

use std::pin::Pin;
use std::time::Duration;

use axum::body::{Body, HttpBody, to_bytes};
use axum::http::StatusCode;
use foras_wire::limits::BODY_BYTES_MAX;

/// How long a device's body may take to arrive: 2G carries a full push of a megabyte in that time.
pub(super) const DEVICE_TIMEOUT_S: u64 = 300;
/// The same for anybody else, whose body is short.
pub(super) const STRANGER_TIMEOUT_S: u64 = 30;

/// The whole body, at most `limit` bytes of it. What says beforehand that it is longer is not kept.
///
/// # Errors
/// 413 when it is longer, 408 when it takes too long.
pub(super) async fn read(body: Body, limit: usize, timeout_s: u64) -> Result<Vec<u8>, StatusCode> {
    if is_longer(&body, limit) {
        drain(body);
        return Err(StatusCode::PAYLOAD_TOO_LARGE);
    }
    match tokio::time::timeout(Duration::from_secs(timeout_s), to_bytes(body, limit)).await {
        Ok(Ok(bytes)) => Ok(bytes.into()),
        Ok(Err(_)) => Err(StatusCode::PAYLOAD_TOO_LARGE),
        Err(_) => Err(StatusCode::REQUEST_TIMEOUT),
    }
}

/// Whether the body says that it is longer than `limit` bytes.
pub(super) fn is_longer(body: &Body, limit: usize) -> bool {
    body.size_hint().lower() > limit as u64
}

/// Lets a body run off beside the answer: closing the connection while the other side still sends would reset it, and
/// the answer would be lost. Bounded in bytes and time, and nothing is kept.
pub(super) fn drain(mut body: Body) {
    let run_off = async move {
        let mut left = BODY_BYTES_MAX;
        while let Some(Ok(frame)) = std::future::poll_fn(|cx| Pin::new(&mut body).poll_frame(cx)).await {
            let length = frame.data_ref().map_or(0, |bytes| bytes.len());
            let Some(rest) = left.checked_sub(length) else { return };
            left = rest;
        }
    };
    tokio::spawn(tokio::time::timeout(Duration::from_secs(STRANGER_TIMEOUT_S), run_off));
}
