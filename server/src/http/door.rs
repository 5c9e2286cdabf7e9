//! The door: connections of strangers are bounded, and the oldest makes room for a new one. A whole point shares one
//! address, so nothing is counted by address; a device that proves itself is a stranger no longer.

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
use tokio::sync::oneshot;

use crate::storage::locked;

/// Connections of strangers that are open at a time: far below the files that a process may open.
const STRANGERS_MAX: usize = 256;
/// Silence after which the system probes a connection, in seconds: longer than a phone is held back, so that a wait costs its
/// radio nothing.
const PROBE_AFTER_S: u64 = 360;
/// Seconds between two probes, and how many without an answer end the connection.
const PROBE_EVERY_S: u64 = 30;
const PROBES: u32 = 4;
/// How long to wait when the system gives no connection, in milliseconds: it may be out of open files.
const ACCEPT_RETRY_MS: u64 = 200;

/// Connections that nobody has proved to be a device's, the oldest first.
#[derive(Debug, Default)]
struct Strangers {
    open: BTreeMap<u64, oneshot::Sender<()>>,
    last: u64,
}

/// Takes connections.
#[derive(Debug)]
pub(super) struct Door {
    listener: TcpListener,
    strangers: Arc<Mutex<Strangers>>,
}

/// Whose connection it is: a stranger's until recognised.
#[derive(Debug, Clone)]
pub(super) struct Guest {
    number: u64,
    strangers: Arc<Mutex<Strangers>>,
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
        let mut strangers = locked(&self.strangers);
        if strangers.open.len() >= STRANGERS_MAX
            && let Some((_, oldest)) = strangers.open.pop_first()
        {
            // It may be gone already.
            let _ = oldest.send(());
        }
        strangers.last += 1;
        let guest = Guest { number: strangers.last, strangers: Arc::clone(&self.strangers) };
        strangers.open.insert(guest.number, sender);
        (Visit { stream, guest: guest.clone(), shown_out: Some(shown_out) }, guest)
    }
}

impl Guest {
    /// The connection is a device's.
    pub(super) fn recognise(&self) {
        locked(&self.strangers).open.remove(&self.number);
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
