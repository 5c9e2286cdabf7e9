//! The link: how a request reaches the server, and how its answer comes back in pieces.
//!
//! A link knows nothing of what travels. It is asked for no `Send`, so that a browser's `fetch` can be one.

use std::future::Future;

use foras_sync::LinkFailure;
use foras_wire::sync::Credentials;

#[cfg(feature = "http")]
pub mod http;

#[cfg(feature = "http")]
pub use http::HttpLink;

/// Seconds for which a server may hold back a phone's request for news: four minutes. Mobile networks forget a connection
/// that is silent for longer; where they forget sooner, the engine asks for less.
pub const WAIT_S: u16 = 240;

/// A way to the server.
pub trait Link {
    /// An answer on its way.
    type Answer: Answer;

    /// Seconds for which a request for news may wait over this link.
    fn wait_s(&self) -> u16 {
        WAIT_S
    }

    /// Sends `body` to `POST /v1/sync` in the name of `credentials`; returns once the answer begins. The server may hold
    /// the request back for `wait_s` seconds: silence for so long is no failure. Dropping the future gives the request up.
    fn exchange(
        &mut self,
        credentials: &Credentials,
        body: Vec<u8>,
        wait_s: u16,
    ) -> impl Future<Output = Result<Self::Answer, LinkFailure>>;
}

/// An answer on its way. Dropping it gives the rest up.
pub trait Answer {
    /// The next bytes; `None` at the end.
    fn chunk(&mut self) -> impl Future<Output = Result<Option<Vec<u8>>, LinkFailure>>;
}
