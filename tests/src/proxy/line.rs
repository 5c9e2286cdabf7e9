//! One connection over a link.

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until, timeout_at};

use super::link::{Link, Way};

/// Bytes that travel together, about a packet's.
const PACKET_BYTES: usize = 1_400;
/// Packets on their way at most, beyond which the sender waits: what a mobile network buffers.
const PACKETS: usize = 64;

/// A connection of a phone.
pub(super) struct Line {
    from_phone: OwnedReadHalf,
    to_phone: OwnedWriteHalf,
    /// What the phone said while the connection was held up.
    early: Vec<u8>,
    held: bool,
    link: Arc<Link>,
}

impl Line {
    pub(super) fn new(phone: TcpStream, link: Arc<Link>) -> Self {
        // Without it small packets wait for acknowledgements of the loopback's own.
        drop(phone.set_nodelay(true));
        let (from_phone, to_phone) = phone.into_split();
        Self { from_phone, to_phone, early: Vec::new(), held: false, link }
    }

    /// Holds the connection up, and takes what the phone says meanwhile, also if it then hangs up.
    pub(super) async fn hold(&mut self, hold: Duration) {
        self.held = true;
        let until = Instant::now() + hold;
        let mut packet = [0; PACKET_BYTES];
        while let Ok(Ok(length @ 1..)) = timeout_at(until, self.from_phone.read(&mut packet)).await {
            self.early.extend_from_slice(&packet[..length]);
        }
        sleep_until(until).await;
    }

    /// Carries bytes both ways until either side closes.
    pub(super) async fn carry(self, server: TcpStream) {
        drop(server.set_nodelay(true));
        let Self { from_phone, to_phone, early, held, link } = self;
        let (from_server, mut to_server) = server.into_split();
        link.counters.up.fetch_add(early.len() as u64, Ordering::Relaxed);
        if to_server.write_all(&early).await.is_err() {
            return;
        }
        let up = async {
            let to_server = pump(from_phone, to_server, Arc::clone(&link), Way::Up).await;
            if held {
                // That the phone hung up is never told: what was overtaken stays on its way.
                std::future::pending::<()>().await;
            }
            drop(to_server);
        };
        let down = pump(from_server, to_phone, Arc::clone(&link), Way::Down);
        tokio::select! {
            _ = down => {}
            () = up => {}
        }
    }
}

/// Carries bytes one way until the sender closes or the receiver is gone. Gives the receiver's end back.
async fn pump(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, link: Arc<Link>, way: Way) -> OwnedWriteHalf {
    let (sender, mut packets) = mpsc::channel::<(Instant, Vec<u8>)>(PACKETS);
    let sending = async {
        let mut packet = [0; PACKET_BYTES];
        while let Ok(length @ 1..) = from.read(&mut packet).await {
            let arrives = link.send(way, length).await;
            if sender.send((arrives, packet[..length].to_vec())).await.is_err() {
                break;
            }
        }
        drop(sender);
        // Only the receiving end says that it is over: packets are still on their way.
        std::future::pending::<()>().await;
    };
    let receiving = async {
        let mut carried = 0_u64;
        while let Some((arrives, packet)) = packets.recv().await {
            sleep_until(arrives).await;
            let passes = if way == Way::Down { link.passes(carried, packet.len()) } else { packet.len() };
            carried += packet.len() as u64;
            if to.write_all(&packet[..passes]).await.is_err() {
                return;
            }
            let count = if way == Way::Up { &link.counters.up } else { &link.counters.down };
            count.fetch_add(passes as u64, Ordering::Relaxed);
            if way == Way::Down && limit(&link, carried).await {
                return;
            }
        }
    };
    either(sending, receiving).await;
    to
}

/// Whether a connection that has carried so many bytes to the phone is to be cut. One that falls silent stays here.
async fn limit(link: &Link, carried: u64) -> bool {
    if link.faults.silent_after_bytes.is_some_and(|silent| carried > silent) {
        std::future::pending::<()>().await;
    }
    let cut = link.faults.cut_after_bytes.is_some_and(|cut| carried > cut);
    if cut {
        link.counters.cuts.fetch_add(1, Ordering::Relaxed);
    }
    cut
}

async fn either(one: impl Future<Output = ()>, other: impl Future<Output = ()>) {
    tokio::select! {
        () = one => {}
        () = other => {}
    }
}
