//! HTTP: a thin layer over [`Server`]. All work on the database runs off the async threads.
//!
//! | route | body | answer |
//! |---|---|---|
//! | `POST /v1/enrol` | CBOR of an `EnrolRequest` | 200: CBOR of an `EnrolAnswer`; otherwise a stream of one frame, `Refused` |
//! | `POST /v1/sync` | a sync request | 200: a stream of frames; a request refused as a whole is one frame, `Refused` |
//! | `GET /livez` | – | 200 while the process serves |
//! | `GET /readyz` | – | 200 when the database answers, otherwise 503 |
//! | `GET /version` | – | `{"version","protocol_min","protocol_max"}` |
//!
//! Who asks stands in headers: `Foras-Device: <id>`, `Authorization: Foras <token>`, and, to prove the device anew,
//! `Foras-Proof: <nonce>:<signature>`; all in lowercase hex.

mod body;
mod credentials;
mod door;
mod enrol;
mod first;
mod health;
mod live;
mod serve;
mod stream;
mod sync;
mod turns;

pub use serve::{Address, Listening, listen};

use std::sync::Arc;

use axum::Router;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use foras_wire::stream::AnswerWriter;
use foras_wire::sync::{AnswerFrame, Refusal};
use tokio::sync::{Semaphore, watch};

use crate::server::Server;
use first::FirstSyncs;
use live::Live;
use turns::Turns;

/// Content type of everything that is CBOR or frames.
const CONTENT_TYPE: &str = "application/octet-stream";
/// Requests of devices whose token holds that are worked on at a time; others wait in turn.
const EXCHANGES_AT_ONCE: usize = 16;
/// Requests of anybody else that are worked on at a time: they never take the places of enrolled devices.
const STRANGERS_AT_ONCE: usize = 4;
/// Bodies of strangers that are read at a time.
const STRANGERS_READ_AT_ONCE: usize = 64;

/// What the routes share.
#[derive(Clone)]
struct Shared {
    server: Arc<Server>,
    devices: Arc<Semaphore>,
    turns: Arc<Turns>,
    strangers: Arc<Semaphore>,
    strangers_reading: Arc<Semaphore>,
    live: Arc<Live>,
    first: Arc<FirstSyncs>,
}

/// The routes over `server`. Once `stopping` turns true, nobody is held back any more.
pub fn router(server: Arc<Server>, stopping: watch::Receiver<bool>) -> Router {
    let live = Arc::new(Live::new(stopping));
    let shared = Shared {
        server,
        devices: Arc::new(Semaphore::new(EXCHANGES_AT_ONCE)),
        turns: Arc::default(),
        strangers: Arc::new(Semaphore::new(STRANGERS_AT_ONCE)),
        strangers_reading: Arc::new(Semaphore::new(STRANGERS_READ_AT_ONCE)),
        live,
        first: FirstSyncs::new(first::PLACES, first::LONG_ENTRIES),
    };
    Router::new()
        .route("/v1/enrol", post(enrol::enrol))
        .route("/v1/sync", post(sync::sync))
        .route("/livez", get(health::livez))
        .route("/readyz", get(health::readyz))
        .route("/version", get(health::version))
        .with_state(shared)
}

/// A refusal of the request as a whole: a stream of one frame.
fn refused(status: StatusCode, refusal: Refusal) -> Response {
    binary(status, AnswerWriter::new().frame(&AnswerFrame::Refused(refusal)))
}

/// A binary answer.
fn binary(status: StatusCode, body: Vec<u8>) -> Response {
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static(CONTENT_TYPE)),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
    ];
    (status, headers, body).into_response()
}
