//! The commands that meet another phone, with no server.

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io::{self, BufReader, BufWriter, Read, Write};
use std::net::{IpAddr, SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use clap::Args;
use foras::exchange::peer::{PeerReport, PeerStopped};
use serde::Serialize;
use serde_json::json;

use crate::output::{Failure, Terminal};

/// The port where none is named.
const PORT: u16 = 7171;
/// How long the other phone may be silent. It answers only after it has kept what it was given.
const SILENCE: Duration = Duration::from_secs(120);
/// Fewer bytes than this in a second of waiting count as silence too.
const BYTES_PER_S_MIN: u64 = 100;
/// How long a connection may take to come about.
const CONNECT: Duration = Duration::from_secs(10);
/// How often a listener looks for somebody.
const LOOK: Duration = Duration::from_millis(50);

/// Share unsent work with a phone nearby, or write it to a file.
#[derive(Debug, Args)]
#[command(group(clap::ArgGroup::new("where").required(true).args(["listen", "to"])))]
pub(crate) struct Share {
    /// Wait here for the other phone; a loopback or local address, with a port or 7171.
    #[arg(long, value_name = "ADDR[:PORT]")]
    listen: Option<String>,
    /// Seconds to wait for it.
    #[arg(long, value_name = "SECONDS", default_value_t = 300, requires = "listen")]
    wait: u64,
    /// Write a file instead, to hand over on a card. Whoever holds it can read it.
    #[arg(long, value_name = "FILE")]
    to: Option<PathBuf>,
    /// Put into the file only what holders of this audience may see; may be repeated.
    #[arg(long, value_name = "NAME", requires = "to")]
    audience: Vec<String>,
}

/// Receive from a phone that shares, or from a file that one wrote.
#[derive(Debug, Args)]
pub(crate) struct Receive {
    /// Where the other phone waits, or its file.
    #[arg(value_name = "ADDR[:PORT] | FILE")]
    from: PathBuf,
}

/// What a meeting did, as it is printed.
#[derive(Serialize)]
struct Shared {
    peer: Option<Peer>,
    sent: u32,
    not_taken: BTreeMap<String, u32>,
    received: u32,
    waiting: u32,
    refused: BTreeMap<String, u32>,
    bytes_up: u64,
    bytes_down: u64,
}

#[derive(Serialize)]
struct Peer {
    name: Option<String>,
    role: String,
}

impl From<PeerReport> for Shared {
    fn from(report: PeerReport) -> Self {
        Self {
            peer: report.peer.map(|met| Peer { name: met.name, role: met.role }),
            sent: report.sent,
            not_taken: report.not_taken,
            received: report.received,
            waiting: report.waiting,
            refused: report.refused,
            bytes_up: report.bytes_up,
            bytes_down: report.bytes_down,
        }
    }
}

/// Prints what was done, also of a meeting that did not come to its end.
fn tell(ended: Result<PeerReport, PeerStopped>, terminal: &Terminal) -> Result<(), Failure> {
    let (report, error) = match ended {
        Ok(report) => (report, None),
        Err(stopped) => (*stopped.report, Some(stopped.error)),
    };
    let shared = Shared::from(report);
    terminal.result(&shared, || {
        let Shared { sent, received, waiting, .. } = &shared;
        let with = shared.peer.as_ref().map(|peer| peer.name.as_deref().unwrap_or(&peer.role));
        let with = with.map(|who| format!(" with {who}")).unwrap_or_default();
        let counts = |word: &str, codes: &BTreeMap<String, u32>| -> String {
            codes.iter().map(|(code, count)| format!("\n{word}: {count} ({code})")).collect()
        };
        format!(
            "shared{with}: sent {sent}, received {received}, waiting for what they build on {waiting}{}{}",
            counts("not taken by the other phone", &shared.not_taken),
            counts("refused", &shared.refused)
        )
    })?;
    if let Some(error) = error {
        return Err(error.into());
    }
    if !shared.refused.is_empty() {
        return Err(Failure::refused(
            "refused",
            "some of what was handed over is not admitted here",
            "see each code; its author still has it, and can bring it to the server",
        ));
    }
    Ok(())
}

impl Share {
    pub(crate) fn run(self, phone: &mut foras::Phone, terminal: &Terminal) -> Result<(), Failure> {
        match (&self.listen, &self.to) {
            (Some(listen), _) => {
                let ended = listen_for(phone, address(listen)?, Duration::from_secs(self.wait), terminal)?;
                tell(ended, terminal)
            }
            (None, Some(path)) => {
                let report = to_file(phone, &self.audience, path)?;
                tell(Ok(report), terminal)
            }
            (None, None) => Err(Failure::misuse("nowhere to share to", "name --listen ADDR or --to FILE")),
        }
    }
}

impl Receive {
    pub(crate) fn run(self, phone: &mut foras::Phone, terminal: &Terminal) -> Result<(), Failure> {
        let text = self.from.to_str().unwrap_or_default();
        if is_address(text) {
            let stream = TcpStream::connect_timeout(&address(text)?, CONNECT).map_err(|_| gone())?;
            return tell(phone.receive(&mut Wire::over(stream)?), terminal);
        }
        let mut file = BufReader::new(File::open(&self.from)?);
        tell(phone.receive_from(&mut file), terminal)
    }
}

fn gone() -> Failure {
    foras::Error::PeerGone.into()
}

fn is_address(text: &str) -> bool {
    text.parse::<SocketAddr>().is_ok() || text.parse::<IpAddr>().is_ok()
}

/// A loopback or local address: what is shared is not encrypted, so it never crosses a wider network.
fn address(text: &str) -> Result<SocketAddr, Failure> {
    let read = text.parse().or_else(|_| text.parse().map(|ip: IpAddr| SocketAddr::new(ip, PORT)));
    let address: SocketAddr =
        read.map_err(|_| Failure::misuse("that is no address", "name one like 192.168.43.1 or 127.0.0.1:7171"))?;
    if is_near(address.ip()) || address.ip().is_unspecified() {
        return Ok(address);
    }
    Err(Failure::misuse(
        "that address is not of a local network",
        "share on a network of the two phones alone: what is shared is not encrypted",
    ))
}

fn is_near(ip: IpAddr) -> bool {
    match ip.to_canonical() {
        IpAddr::V4(ip) => ip.is_loopback() || ip.is_private() || ip.is_link_local(),
        IpAddr::V6(ip) => ip.is_loopback() || ip.is_unique_local() || ip.is_unicast_link_local(),
    }
}

/// Waits for the other phone. Who connects and proves nothing is let go, and the wait goes on.
fn listen_for(
    phone: &mut foras::Phone,
    address: SocketAddr,
    wait: Duration,
    terminal: &Terminal,
) -> Result<Result<PeerReport, PeerStopped>, Failure> {
    let listener = TcpListener::bind(address)?;
    listener.set_nonblocking(true)?;
    let listening = listener.local_addr()?.to_string();
    terminal.progress(&json!({"progress": {"listening": &listening}}), || format!("waiting on {listening}"));
    let began = Instant::now();
    while began.elapsed() < wait {
        let (stream, from) = match listener.accept() {
            Ok(accepted) => accepted,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                std::thread::sleep(LOOK);
                continue;
            }
            Err(error) => return Err(error.into()),
        };
        if !is_near(from.ip()) {
            continue;
        }
        stream.set_nonblocking(false)?;
        match phone.share(&mut Wire::over(stream)?) {
            Err(stopped) if stopped.report.peer.is_none() && is_strangers(&stopped.error) => {
                let code = stopped.error.code().to_owned();
                terminal.progress(&json!({"progress": {"turned_away": code}}), || format!("turned away: {code}"));
            }
            ended => return Ok(ended),
        }
    }
    Err(gone())
}

/// Whether a meeting failed for what the other side is, or is not.
fn is_strangers(error: &foras::Error) -> bool {
    matches!(error, foras::Error::PeerGone | foras::Error::BadPeer { .. } | foras::Error::RefusedByPeer { .. })
}

/// Writes the file whole or not at all, readable by its owner alone.
fn to_file(phone: &mut foras::Phone, audiences: &[String], path: &Path) -> Result<PeerReport, Failure> {
    if path.exists() {
        return Err(Failure::misuse("that file exists already", "name another one"));
    }
    let mut unfinished = path.as_os_str().to_owned();
    unfinished.push(".unfinished");
    let unfinished = PathBuf::from(unfinished);
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = BufWriter::new(options.open(&unfinished)?);
    let written = phone.share_to(audiences, &mut file).map_err(Failure::from).and_then(|report| {
        file.into_inner().map_err(|error| Failure::from(error.into_error()))?.sync_all()?;
        fs::rename(&unfinished, path)?;
        Ok(report)
    });
    if written.is_err() {
        // Half a file is of no use to anybody.
        let _ = fs::remove_file(&unfinished);
    }
    written
}

/// A connection that may not be silent for long.
struct Wire {
    stream: TcpStream,
    read_bytes: u64,
    waited: Duration,
}

impl Wire {
    fn over(stream: TcpStream) -> io::Result<Self> {
        stream.set_read_timeout(Some(SILENCE))?;
        stream.set_write_timeout(Some(SILENCE))?;
        stream.set_nodelay(true)?;
        Ok(Self { stream, read_bytes: 0, waited: Duration::ZERO })
    }
}

impl Read for Wire {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let allowed = SILENCE + Duration::from_secs(self.read_bytes / BYTES_PER_S_MIN);
        if self.waited > allowed {
            return Err(io::ErrorKind::TimedOut.into());
        }
        let began = Instant::now();
        let read = self.stream.read(buffer);
        self.waited += began.elapsed();
        self.read_bytes += read.as_ref().map_or(0, |count| *count as u64);
        read
    }
}

impl Write for Wire {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.stream.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.stream.flush()
    }
}
