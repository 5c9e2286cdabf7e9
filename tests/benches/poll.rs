//! `poll`: phones that wait at one server for news, over plain HTTP; the server is a process of its own. They count only
//! if none is answered before there is news, and each is answered once there is.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use foras_record::role::Role;
use foras_sync::backoff::reconnect_ms;
use foras_tests::world::chance::Chance;
use foras_wire::frame::{decode_request, encode_request};
use foras_wire::limits::WAIT_S_MAX;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::runtime::Builder;
use tokio::task::JoinSet;

use crate::catchup_bytes;
use crate::crowd;
use crate::fanout::request_body;
use crate::input::programme;
use crate::measure::outcome::{Outcome, rounded};
use crate::measure::process::OtherProcess;
use crate::serving::SERVER_ROLE;
use crate::workload::Workload;

const PHONES: usize = 10_000;
/// Mebibytes at most that the server holds.
const GOAL_MIB: f64 = 512.0;
/// How long nobody may be answered once all wait.
const QUIET: Duration = Duration::from_secs(3);
/// How long the answers may take, all of them.
const ANSWERED_WITHIN: Duration = Duration::from_secs(180);

pub(crate) fn run(workload: &mut Workload) -> Outcome {
    let phones = workload.share_of(PHONES);
    open_more_files();
    let cases = workload.cases();
    let programme = workload.programme().copy();
    let mut example = programme.phone(Role::HostCounsellor);
    programme::sync(&mut example.phone);
    let mut colleague = programme.phone(Role::Outreach);
    programme::sync(&mut colleague.phone);
    // A sync of its own tells the server where this phone stands; the next request may wait.
    programme::sync(&mut example.phone);
    let mut request = decode_request(&request_body(&mut example.phone)).expect("a phone's request");
    request.wait_s = WAIT_S_MAX;
    let body = encode_request(&request);
    let folder = programme::folder_in_memory();
    programme.copy_data(folder.path());
    let (chance, case) = (programme.chance.clone(), *programme.cases.first().expect("a case"));
    drop(programme);
    let crowd = crowd::enrol(folder.path(), phones, &chance);
    let mut server = OtherProcess::start(&["--bench", SERVER_ROLE, folder.path().to_str().expect("a folder's name")]);
    let url = server.line();
    let address = url.strip_prefix("http://").expect("an address").to_owned();
    let requests = crowd.iter().map(|member| member.request(&body)).collect();
    let waited =
        Builder::new_multi_thread().worker_threads(1).enable_all().build().expect("a runtime").block_on(async {
            let coming = Instant::now();
            let line = Line::begin(&address, requests, &chance).await;
            let all_in_ms = coming.elapsed().as_secs_f64() * 1_000.0;
            let (idle_mib, early) = line.idle(&server);
            let told = Instant::now();
            let news = tokio::task::spawn_blocking(move || {
                catchup_bytes::edit(&mut colleague.phone, &[case], &chance);
                colleague.phone.sync(Some(&url)).expect("a sync");
            });
            news.await.expect("news");
            let (held, reopened) = line.end().await;
            Waited {
                held: held - early,
                reopened,
                idle_mib,
                all_in_ms,
                told_ms: told.elapsed().as_secs_f64() * 1_000.0,
            }
        });
    let rss_mib = server.peak_rss_bytes() as f64 / 1024.0 / 1024.0;
    server.end();
    let mut outcome = Outcome::at_least("poll", waited.held as f64, phones as f64);
    outcome.put("unit", "phones").also("rss_mib", rss_mib, GOAL_MIB).put("idle_rss_mib", rounded(waited.idle_mib));
    outcome.put("all_in_ms", rounded(waited.all_in_ms));
    outcome.put("all_told_ms", rounded(waited.told_ms)).put("came_again", waited.reopened).put("cases", cases);
    outcome
}

struct Waited {
    held: usize,
    reopened: usize,
    idle_mib: f64,
    all_in_ms: f64,
    told_ms: f64,
}

/// Everybody who waits.
struct Line {
    tasks: JoinSet<()>,
    count: Arc<Count>,
}

/// How many phones did what.
#[derive(Default)]
struct Count {
    asked: AtomicUsize,
    answered: AtomicUsize,
    came_again: AtomicUsize,
}

impl Line {
    /// Lets everybody in, as after a restart of the server: each phone at a random moment of the seconds over which
    /// they spread. Done when all have asked and nobody had to come again for a while.
    async fn begin(address: &str, requests: Vec<Vec<u8>>, chance: &Chance) -> Self {
        let mut line = Self { tasks: JoinSet::new(), count: Arc::default() };
        let phones = requests.len();
        for request in requests {
            let (address, count, chance) = (address.to_owned(), Arc::clone(&line.count), chance.clone());
            line.tasks.spawn(async move {
                loop {
                    tokio::time::sleep(Duration::from_millis(reconnect_ms(chance.number()))).await;
                    if let Ok(mut connection) = TcpStream::connect(&address).await
                        && connection.write_all(&request).await.is_ok()
                    {
                        count.asked.fetch_add(1, Ordering::Relaxed);
                        let mut answer = Vec::new();
                        if connection.read_to_end(&mut answer).await.is_ok() && answer.starts_with(b"HTTP/1.1 200") {
                            count.answered.fetch_add(1, Ordering::Relaxed);
                            return;
                        }
                        count.asked.fetch_sub(1, Ordering::Relaxed);
                    }
                    // Whoever is shown out before it is recognised comes again.
                    count.came_again.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
        let mut before = usize::MAX;
        loop {
            let again = line.count.came_again.load(Ordering::Relaxed);
            if line.count.asked.load(Ordering::Relaxed) == phones && again == before {
                return line;
            }
            before = again;
            tokio::time::sleep(QUIET).await;
        }
    }

    /// The memory of the server while nothing happens, and how many were answered all the same.
    fn idle(&self, server: &OtherProcess) -> (f64, usize) {
        (server.peak_rss_bytes() as f64 / 1024.0 / 1024.0, self.count.answered.load(Ordering::Relaxed))
    }

    /// Waits for everybody's answer; gives how many came, and how many had to come again.
    async fn end(mut self) -> (usize, usize) {
        let all = async { while self.tasks.join_next().await.is_some() {} };
        let _ = tokio::time::timeout(ANSWERED_WITHIN, all).await;
        (self.count.answered.load(Ordering::Relaxed), self.count.came_again.load(Ordering::Relaxed))
    }
}

/// As many open files as the system lets a process have; the server's process gets the same.
fn open_more_files() {
    let limit = getrlimit(Resource::Nofile);
    let _ = setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, maximum: limit.maximum });
}
