//! A network between a phone and a server, with its faults: a proxy over real sockets.
//!
//! One [`Proxy`] is one radio link. Its rate is shared by all connections, each way for itself; its delay holds for every
//! byte and for coming up; it cuts all connections at once, as a dead spot does. A link may also fall silent without
//! closing anything, and may deliver connections in another order than they were made. What it delivered is counted.

mod line;
mod link;

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::{Builder, Runtime};
use tokio::sync::watch;

use link::Link;

/// What a link does to what travels.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Faults {
    /// How long a byte travels one way: half of a round trip.
    pub delay: Duration,
    /// Bytes a second, each way; `None`: as fast as it goes.
    pub bytes_s: Option<u32>,
    /// All connections are cut this often.
    pub cut_every: Option<Duration>,
    /// Every connection is cut once it has carried so many bytes to the phone.
    pub cut_after_bytes: Option<u64>,
    /// Connections fall silent, and stay open, once they have carried so many bytes to the phone; 0: nothing answers at all.
    pub silent_after_bytes: Option<u64>,
    /// Every other connection, from the first on, reaches the server only after this long, even if the phone has closed it
    /// meanwhile: later ones overtake it.
    pub overtaken: Option<Duration>,
}

/// What a link has carried.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Carried {
    /// Bytes that reached the server.
    pub up: u64,
    /// Bytes that reached the phone.
    pub down: u64,
    /// Connections that were made.
    pub connections: u64,
    /// Connections that were cut.
    pub cuts: u64,
}

#[derive(Debug, Default)]
struct Counters {
    up: AtomicU64,
    down: AtomicU64,
    connections: AtomicU64,
    cuts: AtomicU64,
}

/// A link to one server, until dropped.
#[derive(Debug)]
pub struct Proxy {
    /// Where phones reach it.
    pub url: String,
    counters: Arc<Counters>,
    faults: watch::Sender<Faults>,
    _runtime: Runtime,
}

impl Proxy {
    /// Opens a link to the server at `url`.
    ///
    /// # Panics
    /// When `url` is no `http://ADDRESS:PORT`, or there is no port to listen on.
    #[must_use]
    pub fn open(url: &str, faults: Faults) -> Self {
        let to: SocketAddr = url.strip_prefix("http://").and_then(|to| to.parse().ok()).expect("an address");
        let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build().expect("a runtime");
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let (counters, (faults, told)) = (Arc::new(Counters::default()), watch::channel(faults));
        runtime.spawn(listen(listener, to, told, Arc::clone(&counters)));
        Self { url, counters, faults, _runtime: runtime }
    }

    /// The link is another one from now on; connections that are open are cut.
    pub fn change(&self, faults: Faults) {
        self.faults.send_replace(faults);
    }

    /// What it has carried so far.
    #[must_use]
    pub fn carried(&self) -> Carried {
        let of = |count: &AtomicU64| count.load(Ordering::Relaxed);
        let Counters { up, down, connections, cuts } = &*self.counters;
        Carried { up: of(up), down: of(down), connections: of(connections), cuts: of(cuts) }
    }
}

/// Takes connections under the faults of the moment.
async fn listen(listener: TcpListener, to: SocketAddr, mut told: watch::Receiver<Faults>, counters: Arc<Counters>) {
    loop {
        let link = Arc::new(Link::new(told.borrow_and_update().clone(), Arc::clone(&counters)));
        let cutting = cut_now_and_then(Arc::clone(&link));
        tokio::pin!(cutting);
        loop {
            tokio::select! {
                changed = told.changed() => match changed {
                    Ok(()) => break,
                    // The proxy is dropped.
                    Err(_) => return link.cut(),
                },
                () = &mut cutting => {}
                taken = listener.accept() => {
                    if let Ok((phone, _)) = taken {
                        tokio::spawn(carry(phone, to, Arc::clone(&link)));
                    }
                }
            }
        }
        link.cut();
    }
}

async fn cut_now_and_then(link: Arc<Link>) {
    match link.faults.cut_every {
        None => std::future::pending().await,
        Some(every) => loop {
            tokio::time::sleep(every).await;
            link.cut();
        },
    }
}

/// Carries one connection to its end.
async fn carry(phone: TcpStream, to: SocketAddr, link: Arc<Link>) {
    let number = link.counters.connections.fetch_add(1, Ordering::Relaxed);
    let cut = link.next_cut();
    let mut line = line::Line::new(phone, Arc::clone(&link));
    let overtaken = link.faults.overtaken.filter(|_| number.is_multiple_of(2));
    let carried = async {
        if let Some(hold) = overtaken {
            line.hold(hold).await;
        }
        // A connection comes up once a packet has travelled both ways.
        tokio::time::sleep(link.faults.delay * 2).await;
        if let Ok(server) = TcpStream::connect(to).await {
            line.carry(server).await;
        }
    };
    tokio::select! {
        () = carried => {}
        () = cut => {
            link.counters.cuts.fetch_add(1, Ordering::Relaxed);
        }
    }
}
