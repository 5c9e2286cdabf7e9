//! `POST /v1/enrol`: asked by strangers only, so within limits of their own.

use axum::body::Body;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use foras_wire::sync::Refusal;

use super::{Shared, binary, body, refused};
use crate::clock;
use crate::enrol::ENROL_BYTES_MAX;
use crate::entropy::OsEntropy;
use crate::refusal::refusal;

pub(super) async fn enrol(State(shared): State<Shared>, request: Body) -> Response {
    let Ok(_reading) = shared.strangers_reading.try_acquire() else { return refuse(busy()) };
    let body = match body::read(request, ENROL_BYTES_MAX, body::STRANGER_TIMEOUT_S).await {
        Ok(body) => body,
        Err(status) => return refused(status, refusal("too_large")),
    };
    let Ok(_working) = shared.strangers.acquire().await else { return refuse(busy()) };
    let server = shared.server.clone();
    let done = tokio::task::spawn_blocking(move || server.enrol(&body, clock::now_ms(), &mut OsEntropy)).await;
    match done {
        Ok(Ok(answer)) => binary(StatusCode::OK, answer),
        Ok(Err(refusal)) => refuse(refusal),
        Err(_) => refuse(busy()),
    }
}

fn refuse(refusal: Refusal) -> Response {
    let status = match refusal.code.as_str() {
        "too_large" => StatusCode::PAYLOAD_TOO_LARGE,
        "too_many_tries" => StatusCode::TOO_MANY_REQUESTS,
        _ if refusal.retryable => StatusCode::SERVICE_UNAVAILABLE,
        "malformed" | "version" | "truncated" => StatusCode::BAD_REQUEST,
        _ => StatusCode::FORBIDDEN,
    };
    refused(status, refusal)
}

pub(super) fn busy() -> Refusal {
    Refusal { retryable: true, retry_after_s: 5, ..refusal("server_busy") }
}
