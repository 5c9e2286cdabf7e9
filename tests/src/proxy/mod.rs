//! A network between a phone and a server, with its faults: a proxy over real sockets.
//!
//! One [`Proxy`] is one radio link. Its rate is shared by all connections, each way for itself; its delay holds for every
//! byte and for coming up; it cuts all connections at once, as a dead spot does. A link may also fall silent without
//! closing anything, and may deliver connections in another order than they were made. What it delivered is counted.

mod line;
mod link;

use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, mpsc as blocking};
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::{Builder, Runtime};
use tokio::sync::mpsc;

use link::{Fate, Link};

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

/// What happens to a link, told by whoever tests.
#[derive(Debug)]
enum Order {
    Change(Faults),
    Forget,
}

/// Told once an order is carried out.
type Obeyed = blocking::Sender<()>;

/// A link to one server, until dropped.
#[derive(Debug)]
pub struct Proxy {
    /// Where phones reach it.
    pub url: String,
    counters: Arc<Counters>,
    orders: mpsc::UnboundedSender<(Order, Obeyed)>,
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
        let (counters, (orders, told)) = (Arc::new(Counters::default()), mpsc::unbounded_channel());
        runtime.spawn(listen(listener, to, told, Link::new(faults, Arc::clone(&counters))));
        Self { url, counters, orders, _runtime: runtime }
    }

    /// The link is another one once this returns; connections that are open are cut.
    pub fn change(&self, faults: Faults) {
        self.order(Order::Change(faults));
    }

    /// The network forgets the connections that are open once this returns: they carry nothing more, and neither side is
    /// told. New ones are made as ever.
    pub fn forget(&self) {
        self.order(Order::Forget);
    }

    fn order(&self, order: Order) {
        let (done, obeyed) = blocking::channel();
        // An error means that the proxy is going down.
        drop(self.orders.send((order, done)).map(|()| obeyed.recv()));
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
async fn listen(listener: TcpListener, to: SocketAddr, mut told: mpsc::UnboundedReceiver<(Order, Obeyed)>, link: Link) {
    let mut link = Arc::new(link);
    loop {
        let cutting = cut_now_and_then(Arc::clone(&link));
        tokio::pin!(cutting);
        let changed = loop {
            tokio::select! {
                biased;
                order = told.recv() => match order {
                    Some((Order::Change(faults), done)) => break (Link::new(faults, Arc::clone(&link.counters)), done),
                    Some((Order::Forget, done)) => {
                        link.forget();
                        let _ = done.send(());
                    }
                    // The proxy is dropped.
                    None => return link.cut(),
                },
                () = &mut cutting => {}
                taken = listener.accept() => {
                    if let Ok((phone, _)) = taken {
                        // From here on, before anything is carried: a cut that comes now is a cut.
                        let fate = link.fate();
                        tokio::spawn(carry(phone, to, Arc::clone(&link), fate));
                    }
                }
            }
        };
        link.cut();
        link = Arc::new(changed.0);
        // Nobody waits for it any more.
        let _ = changed.1.send(());
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
async fn carry(phone: TcpStream, to: SocketAddr, link: Arc<Link>, fate: Fate) {
    let number = link.counters.connections.fetch_add(1, Ordering::Relaxed);
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
    // Apart from what carries, so that a connection which is forgotten stays open.
    tokio::pin!(carried);
    let remembered = async {
        tokio::select! {
            biased;
            () = fate.forgotten => std::future::pending().await,
            () = &mut carried => {}
        }
    };
    tokio::select! {
        biased;
        () = fate.cut => {
            link.counters.cuts.fetch_add(1, Ordering::Relaxed);
        }
        () = remembered => {}
    }
}
