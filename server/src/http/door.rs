//! The door: connections of strangers are bounded, and the oldest makes room for a new one. A whole point shares one
//! address, so nothing is counted by address; a device that proves itself is a stranger no longer.
//!
//! When a thousand phones come at once, the new ones wait outside until those before them have proved themselves: nobody
//! makes room who has just come in.

use std::collections::BTreeMap;
use std::io;
use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::extract::connect_info::Connected;
use axum::serve::{IncomingStream, Listener};
use socket2::{SockRef, TcpKeepalive};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Notify, oneshot};
use tokio::time::{Instant, sleep_until};

use crate::storage::locked;

/// Connections of strangers that are open at a time: far below the files that a process may open.
const STRANGERS_MAX: usize = 256;
/// Silence after which the system probes a connection, in seconds: longer than a phone is held back, so that a wait costs its
/// radio nothing.
const PROBE_AFTER_S: u64 = 360;
/// Seconds between two probes, and how many without an answer end the connection.
const PROBE_EVERY_S: u64 = 30;
const PROBES: u32 = 4;
/// How long a stranger may stay before it makes room, in milliseconds: the server has long recognised a phone by then,
/// unless it is very busy.
const STAY_MS: u64 = 1_000;
/// How long to wait when the system gives no connection, in milliseconds: it may be out of open files.
const ACCEPT_RETRY_MS: u64 = 200;

/// Connections that nobody has proved to be a device's, the oldest first.
#[derive(Debug, Default)]
struct Strangers {
    open: Mutex<Open>,
    /// Somebody was recognised, or left.
    left: Notify,
}

#[derive(Debug, Default)]
struct Open {
    /// Since when each is open, and how it is told to make room.
    strangers: BTreeMap<u64, (Instant, oneshot::Sender<()>)>,
    last: u64,
}

impl Strangers {
    /// Done when there is room for one more.
    async fn room(&self) {
        loop {
            let until = {
                let mut open = locked(&self.open);
                if open.strangers.len() < STRANGERS_MAX {
                    return;
                }
                let Some(oldest) = open.strangers.first_entry() else { return };
                let until = oldest.get().0 + Duration::from_millis(STAY_MS);
                if until <= Instant::now() {
                    // It may be gone already.
                    let _ = oldest.remove().1.send(());
                    return;
                }
                until
            };
            tokio::select! {
                () = self.left.notified() => {}
                () = sleep_until(until) => {}
            }
        }
    }
}

/// Takes connections.
#[derive(Debug)]
pub(super) struct Door {
    listener: TcpListener,
    strangers: Arc<Strangers>,
}

/// Whose connection it is: a stranger's until recognised.
#[derive(Debug, Clone)]
pub(super) struct Guest {
    number: u64,
    strangers: Arc<Strangers>,
}

/// A connection.
#[derive(Debug)]
pub(super) struct Visit {
    stream: TcpStream,
    guest: Guest,
    /// Done when the connection has to make room; `None` once it is recognised.
    shown_out: Option<oneshot::Receiver<()>>,
}

impl Door {
    pub(super) fn new(listener: TcpListener) -> Self {
        Self { listener, strangers: Arc::default() }
    }

    fn welcome(&self, stream: TcpStream) -> (Visit, Guest) {
        let (sender, shown_out) = oneshot::channel();
        let mut open = locked(&self.strangers.open);
        open.last += 1;
        let guest = Guest { number: open.last, strangers: Arc::clone(&self.strangers) };
        open.strangers.insert(guest.number, (Instant::now(), sender));
        (Visit { stream, guest: guest.clone(), shown_out: Some(shown_out) }, guest)
    }
}

impl Guest {
    /// The connection is a device's.
    pub(super) fn recognise(&self) {
        if locked(&self.strangers.open).strangers.remove(&self.number).is_some() {
            self.strangers.left.notify_one();
        }
    }
}

/// Has the system find out whether the other side is still there: phones leave networks without a word, and each
/// connection holds a place and what is on its way.
fn probe(stream: &TcpStream) {
    let probes = TcpKeepalive::new()
        .with_time(Duration::from_secs(PROBE_AFTER_S))
        .with_interval(Duration::from_secs(PROBE_EVERY_S))
        .with_retries(PROBES);
    // Without them a dead connection lasts longer; it is served all the same.
    let _ = SockRef::from(stream).set_tcp_keepalive(&probes);
}

impl Listener for Door {
    type Io = Visit;
    type Addr = Guest;

    async fn accept(&mut self) -> (Visit, Guest) {
        loop {
            self.strangers.room().await;
            match self.listener.accept().await {
                Ok((stream, _)) => {
                    probe(&stream);
                    return self.welcome(stream);
                }
                Err(error) => {
                    tracing::warn!(kind = %error.kind(), "a connection could not be taken");
                    tokio::time::sleep(Duration::from_millis(ACCEPT_RETRY_MS)).await;
                }
            }
        }
    }

    fn local_addr(&self) -> io::Result<Guest> {
        Ok(Guest { number: 0, strangers: Arc::clone(&self.strangers) })
    }
}

impl Connected<IncomingStream<'_, Door>> for Guest {
    fn connect_info(stream: IncomingStream<'_, Door>) -> Self {
        stream.remote_addr().clone()
    }
}

impl Drop for Visit {
    fn drop(&mut self) {
        self.guest.recognise();
    }
}

impl AsyncRead for Visit {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        if let Some(shown_out) = &mut self.shown_out {
            match pin!(shown_out).poll(cx) {
                Poll::Ready(Ok(())) => return Poll::Ready(Err(io::ErrorKind::ConnectionAborted.into())),
                // Nobody can show it out any more: it was recognised.
                Poll::Ready(Err(_)) => self.shown_out = None,
                Poll::Pending => {}
            }
        }
        Pin::new(&mut self.stream).poll_read(cx, buf)
    }
}

impl AsyncWrite for Visit {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(cx, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}
