//! The server's process is killed again and again while two phones edit and sync with it. What it acknowledged to either is
//! in its database before anybody can push it again; in the end it has every edit, once, and both phones have the same.

use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::{Duration, Instant};

use foras::phone::{Phone, Setting};
use foras_record::role::Role;
use foras_server::http::{Address, listen};
use foras_server::{Invite, OsEntropy, Server, clock};
use foras_tests::office::registration;
use foras_tests::world::chance::Chance;
use rusqlite::Connection;
use tempfile::TempDir;
use tokio::runtime::Builder;

use super::{assert_whole, number_in};

/// Times that the process is killed in the ordinary run.
const KILLS: usize = 40;
/// Kills after which a server is looked through, and another opened.
const KILLS_OF_A_SERVER: usize = 100;
/// Kills after which another case is taken.
const KILLS_OF_A_CASE: usize = 10;
/// Syncs that end before the one in which the server is killed, at most; at least one does.
const SYNCS_BEFORE_MAX: usize = 3;
/// Longest time from the beginning of that sync to the kill, in microseconds. Only the moment depends on it.
const MOMENT_US_MAX: usize = 12_000;
const FOLDER: &str = "FORAS_KILL_SERVER";
const LISTEN: &str = "FORAS_KILL_LISTEN";
const SERVING: &str = "serving";

/// Not a test of its own: the process that is killed.
#[test]
fn a_process_that_serves_until_it_is_killed() {
    let (Ok(folder), Ok(at)) = (std::env::var(FOLDER), std::env::var(LISTEN)) else { return };
    let server = Arc::new(Server::open(Path::new(&folder)).unwrap());
    let runtime = Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let address = Address { listen: at.parse().unwrap(), public_url: None };
    let listening = runtime.block_on(listen(server, &address)).unwrap();
    println!("\n{SERVING}");
    std::io::stdout().flush().unwrap();
    runtime.block_on(listening.serve(std::future::pending())).unwrap();
}

/// A server's data folder, and where it listens.
struct Place {
    folder: TempDir,
    at: SocketAddr,
}

impl Place {
    fn new() -> Self {
        let at = TcpListener::bind(("127.0.0.1", 0)).and_then(|listener| listener.local_addr()).unwrap();
        Self { folder: tempfile::tempdir().unwrap(), at }
    }

    /// The server in a process of its own, once it answers.
    fn start(&self) -> Child {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "--nocapture", "servers::a_process_that_serves_until_it_is_killed"])
            .env(FOLDER, self.folder.path())
            .env(LISTEN, self.at.to_string())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        assert!(lines.any(|line| line.unwrap() == SERVING), "the server does not start again");
        child
    }

    fn enrolled(&self, role: Role, store: &Path) -> Phone {
        let server = Server::attach(self.folder.path()).unwrap();
        let places = ["oujda".parse().unwrap()].into();
        let invite = Invite { role, places, case: None, name: Some("a colleague".to_owned()) };
        let invited = server.invite(&invite, clock::now_ms(), &mut OsEntropy).unwrap();
        let mut phone = Phone::open(store).unwrap();
        phone.enrol(&invited.invitation, None).unwrap();
        phone
    }

    /// Asserts that the server admitted a change with each value, once.
    fn assert_has(&self, values: &[String]) {
        let connection = Connection::open(self.folder.path().join("foras.db")).unwrap();
        let mut statement = connection.prepare("SELECT chunk FROM change").unwrap();
        let chunks: Vec<Vec<u8>> = statement.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect();
        for value in values {
            let has = |chunk: &&Vec<u8>| chunk.windows(value.len()).any(|window| window == value.as_bytes());
            assert_eq!(chunks.iter().filter(has).count(), 1, "how often the server has {value:?}");
        }
    }

    /// A case that both phones hold, from a server that is up for it alone.
    fn new_case(&self, phones: &mut [Phone; 2]) -> String {
        let mut child = self.start();
        let case = phones[0].register(&registration("Awa")).unwrap().id;
        for phone in phones {
            assert_eq!(phone.sync(None).unwrap().pending, 0);
        }
        stop(&mut child);
        case
    }
}

fn stop(child: &mut Child) {
    child.kill().unwrap();
    let status = child.wait().unwrap();
    assert!(status.code().is_none(), "the server ended by itself: {status}");
}

/// Kills the server so long after it is told that a sync begins.
fn kill_later(mut child: Child, begun: &Receiver<()>, later: Duration) {
    if begun.recv().is_ok() {
        let until = Instant::now() + later;
        while Instant::now() < until {
            std::hint::spin_loop();
        }
    }
    stop(&mut child);
}

/// When the server is killed.
struct Moment {
    syncs_before: usize,
    later: Duration,
}

impl Moment {
    fn by(chance: &Chance) -> Self {
        let syncs_before = 1 + chance.below(SYNCS_BEFORE_MAX);
        Self { syncs_before, later: Duration::from_micros(u64::try_from(chance.below(MOMENT_US_MAX)).unwrap()) }
    }
}

/// What a round wrote.
struct Written {
    /// What the server acknowledged.
    acknowledged: Vec<String>,
    /// What is not known to be there.
    open: Vec<String>,
}

/// Both edit and sync in turn until the server is gone.
fn work(phones: &mut [Phone; 2], child: Child, case: &str, round: usize, moment: &Moment) -> Written {
    let (begin, begun) = channel();
    let later = moment.later;
    let killer = thread::spawn(move || kill_later(child, &begun, later));
    let (mut open, mut acknowledged, mut syncs) = ([Vec::new(), Vec::new()], Vec::new(), 0);
    for number in 0.. {
        for (who, (phone, open)) in phones.iter_mut().zip(&mut open).enumerate() {
            let value = format!("round {round} edit {number} of {who}.");
            phone.edit(case, &[Setting::new("needs", value.as_str())]).unwrap();
            open.push(value);
            if syncs == moment.syncs_before {
                begin.send(()).unwrap();
            }
            syncs += 1;
            let report = phone.sync(None).unwrap_or_else(|stopped| stopped.report);
            assert_eq!(report.refused, 0, "an honest change is refused");
            if phone.store().pending().unwrap().changes == 0 {
                acknowledged.append(open);
            }
        }
        if killer.is_finished() {
            break;
        }
    }
    killer.join().unwrap();
    Written { acknowledged, open: open.concat() }
}

/// One server, killed so often; how many edits it acknowledged.
fn a_server_with_two_phones(kills: usize, chance: &Chance) -> usize {
    let (place, stores) = (Place::new(), [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()]);
    let mut child = place.start();
    let worker = place.enrolled(Role::Outreach, stores[0].path());
    let counsellor = place.enrolled(Role::HostCounsellor, stores[1].path());
    stop(&mut child);
    let mut phones = [worker, counsellor];
    let (mut case, mut acknowledged, mut all) = (String::new(), 0, Vec::new());
    for round in 0..kills {
        if round % KILLS_OF_A_CASE == 0 {
            case = place.new_case(&mut phones);
        }
        let written = work(&mut phones, place.start(), &case, round, &Moment::by(chance));
        // Before anybody could push it again.
        place.assert_has(&written.acknowledged);
        acknowledged += written.acknowledged.len();
        all.extend(written.acknowledged.into_iter().chain(written.open));
    }
    let mut child = place.start();
    for who in [0, 1, 0] {
        let report = phones[who].sync(None).unwrap();
        assert_eq!((report.pending, report.refused), (0, 0));
    }
    let shown = |phone: &mut Phone| {
        let records = phone.show(&case).unwrap().records;
        records.iter().find_map(|record| record.fields.get("needs").map(|shown| shown.value.clone())).unwrap()
    };
    assert_eq!(shown(&mut phones[0]), shown(&mut phones[1]));
    stop(&mut child);
    assert_whole(place.folder.path());
    place.assert_has(&all);
    acknowledged
}

#[test]
fn nothing_acknowledged_is_lost_when_the_servers_process_is_killed() {
    let (kills, seed) = (number_in("FORAS_SERVER_KILLS").unwrap_or(KILLS), number_in("FORAS_SEED").unwrap_or(9));
    println!("FORAS_SERVER_KILLS={kills} FORAS_SEED={seed}");
    let chance = Chance::new(seed as u64);
    let (mut done, mut acknowledged) = (0, 0);
    while done < kills {
        let now = KILLS_OF_A_SERVER.min(kills - done);
        acknowledged += a_server_with_two_phones(now, &chance);
        done += now;
        println!("{done} kills of a server, {acknowledged} acknowledged edits, none lost");
    }
    assert!(acknowledged >= kills, "at least one sync ended before each kill");
}
