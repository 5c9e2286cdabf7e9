//! `POST /v1/sync`: frames are sent as they are made.

use std::time::Instant;

use axum::body::Body;
use axum::extract::{ConnectInfo, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use foras_wire::limits::BODY_BYTES_MAX;
use foras_wire::stream::AnswerWriter;
use foras_wire::sync::{AnswerFrame, Credentials};

use super::door::Guest;
use super::enrol::busy;
use super::{CONTENT_TYPE, Shared, body, credentials, refused, stream};
use crate::clock;
use crate::entropy::OsEntropy;
use crate::refusal::refusal;

/// Longest body of a request by somebody whom the server does not recognise, in bytes: it is answered with a challenge,
/// not read in full. A device sends the same again once it has proved itself.
const STRANGER_BYTES_MAX: usize = 256 * 1024;

pub(super) async fn sync(
    State(shared): State<Shared>,
    ConnectInfo(guest): ConnectInfo<Guest>,
    headers: HeaderMap,
    request: Body,
) -> Response {
    let Some(credentials) = credentials::of(&headers) else {
        body::drain(request);
        return refused(StatusCode::OK, refusal("unauthenticated"));
    };
    // A request may be held back for minutes: nothing that it does not need is kept.
    drop(headers);
    let known = {
        let (server, credentials) = (shared.server.clone(), credentials.clone());
        let recognises = move || server.recognises(&credentials, clock::now_ms());
        tokio::task::spawn_blocking(recognises).await.unwrap_or(false)
    };
    if known {
        guest.recognise();
    }
    let (limit, timeout_s, places) = match known {
        true => (BODY_BYTES_MAX, body::DEVICE_TIMEOUT_S, shared.devices.clone()),
        false => (STRANGER_BYTES_MAX, body::STRANGER_TIMEOUT_S, shared.strangers.clone()),
    };
    // Before the body is read: what waits holds no memory.
    let (reading, own_turn) = match known {
        true => (None, shared.turns.take(credentials.device).await),
        false => (shared.strangers_reading.clone().try_acquire_owned().ok(), None),
    };
    if reading.is_none() && own_turn.is_none() {
        return refused(StatusCode::OK, busy());
    }
    let body = if !known && body::is_longer(&request, limit) {
        // It is answered with a challenge before it is read; the next request, which answers that, is read.
        body::drain(request);
        Vec::new()
    } else {
        match body::read(request, limit, timeout_s).await {
            Ok(body) => body,
            Err(status) => return refused(status, refusal("too_large")),
        }
    };
    let own_turn = match own_turn {
        Some(own_turn) => match shared.live.held_back(&shared, &credentials, &body, own_turn).await {
            Some(own_turn) => Some(own_turn),
            None => return refused(StatusCode::OK, busy()),
        },
        None => None,
    };
    let Ok(place) = places.acquire_owned().await else { return refused(StatusCode::OK, busy()) };
    let (sender, frames) = stream::channel();
    tokio::task::spawn_blocking(move || {
        let _held = (place, own_turn, reading);
        answer(&shared, &credentials, &body, &sender);
    });
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static(CONTENT_TYPE)),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
    ];
    (StatusCode::OK, headers, Body::from_stream(frames)).into_response()
}

fn answer(shared: &Shared, credentials: &Credentials, body: &[u8], sender: &stream::Sender) {
    let mut writer = AnswerWriter::new();
    let mut sink = |frame: AnswerFrame| sender.send(writer.frame(&frame));
    let mut turns = |device, entries| match shared.first.ask(device, entries, Instant::now()) {
        Ok(place) => {
            // The place is the answer's until it has left.
            if let Some(place) = place {
                sender.keep(place);
            }
            None
        }
        Err(turn) => Some(turn),
    };
    shared.server.exchange_in_turn(Some(credentials), body, clock::now_ms(), &mut OsEntropy, &mut turns, &mut sink);
}
