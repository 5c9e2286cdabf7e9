//! Requests that are held back until there is news: each costs its connection and a timer, and holds neither a thread, nor
//! a connection to the database, nor a turn.

use std::sync::Arc;
use std::time::Duration;

use foras_wire::sync::Credentials;
use tokio::sync::watch;
use tokio::time::{Instant, MissedTickBehavior, interval, sleep_until};

use super::Shared;
use super::turns::OwnTurn;
use crate::clock;
use crate::server::Server;

/// After a wake, how long to wait for more of the same, in milliseconds: somebody who writes, writes several things.
const GATHER_MS: u64 = 50;
/// How often to look for what another process wrote, in milliseconds.
const LOOK_MS: u64 = 500;

/// Who is held back.
pub(super) struct Live {
    stopping: watch::Receiver<bool>,
}

impl Live {
    pub(super) fn new(stopping: watch::Receiver<bool>) -> Self {
        Self { stopping }
    }

    /// Holds the request back for as long as it allows and there is nothing to say. Returns the device's turn, given up
    /// in the meantime and taken again; `None` when the device asked anew.
    pub(super) async fn held_back(
        &self,
        shared: &Shared,
        credentials: &Credentials,
        body: &[u8],
        own_turn: OwnTurn,
    ) -> Option<OwnTurn> {
        shared.server.asks_anew(&credentials.device);
        if body.len() > crate::exchange::hold::BODY_BYTES_MAX {
            return Some(own_turn);
        }
        let Ok(place) = shared.devices.clone().acquire_owned().await else { return Some(own_turn) };
        let (server, asked, body) = (shared.server.clone(), credentials.clone(), body.to_vec());
        let begun = tokio::task::spawn_blocking(move || {
            let _held = place;
            server.wait(&asked, &body, clock::now_ms())
        });
        let Ok(Some((mut wait, wait_s))) = begun.await else { return Some(own_turn) };
        drop(own_turn);
        let until = Instant::now() + Duration::from_secs(wait_s.into());
        let mut stopping = self.stopping.clone();
        // An error means that nobody can say it any more: the server is going down.
        let stopped = async { drop(stopping.wait_for(|stopping| *stopping).await) };
        let woken = tokio::select! {
            woken = wait.woken() => Some(woken),
            () = sleep_until(until) => None,
            () = stopped => None,
        };
        drop(wait);
        match woken {
            Some(true) => tokio::time::sleep(Duration::from_millis(GATHER_MS)).await,
            Some(false) => return None,
            None => {}
        }
        shared.turns.take(credentials.device).await
    }
}

/// Looks for what other processes wrote, for as long as it is polled.
pub(super) async fn look_for_news(server: Arc<Server>) {
    let mut ticks = interval(Duration::from_millis(LOOK_MS));
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        if server.waiting() == 0 {
            continue;
        }
        let looking = Arc::clone(&server);
        if let Ok(Err(error)) = tokio::task::spawn_blocking(move || looking.look_for_news()).await {
            tracing::warn!(code = error.code(), "news could not be looked for");
        }
    }
}
