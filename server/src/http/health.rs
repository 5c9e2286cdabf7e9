//! What a supervisor of processes asks.

use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use foras_wire::version::{PROTOCOL_MAX, PROTOCOL_MIN};

use super::Shared;

pub(super) async fn livez() -> &'static str {
    "live\n"
}

pub(super) async fn readyz(State(shared): State<Shared>) -> Response {
    let ready = tokio::task::spawn_blocking(move || shared.server.ready()).await;
    match ready {
        Ok(Ok(())) => "ready\n".into_response(),
        _ => (StatusCode::SERVICE_UNAVAILABLE, "not ready\n").into_response(),
    }
}

pub(super) async fn version() -> Response {
    let text = serde_json::json!({
        "version": env!("CARGO_PKG_VERSION"),
        "protocol_min": PROTOCOL_MIN,
        "protocol_max": PROTOCOL_MAX,
    });
    ([(header::CONTENT_TYPE, "application/json")], text.to_string()).into_response()
}
