//! `fanout`: a thousand phones catch up on 300 changes each, all at once, over plain HTTP; the server is a process of its
//! own.

use std::time::Instant;

use foras::exchange::{Courier, Outward, Step};
use foras::phone::Phone;
use foras_record::role::Role;
use foras_sync::Event;
use foras_sync::engine::Config;
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::runtime::Builder;

use crate::catchup_bytes::{self, EDITS};
use crate::crowd::{self, Member};
use crate::input::programme;
use crate::measure::outcome::{Outcome, rounded};
use crate::measure::process::OtherProcess;
use crate::serving::SERVER_ROLE;
use crate::workload::Workload;

const PHONES: usize = 1_000;
/// Mebibytes at most that the server holds.
const GOAL_MIB: f64 = 256.0;

pub(crate) fn run(workload: &mut Workload) -> Outcome {
    let phones = workload.share_of(PHONES).max(20);
    let cases = workload.cases();
    let programme = workload.programme().copy();
    // One phone shows what all of them ask: it stands where the logs stood before the changes.
    let mut example = programme.phone(Role::HostCounsellor);
    programme::sync(&mut example.phone);
    let mut colleague = programme.phone(Role::Outreach);
    programme::sync(&mut colleague.phone);
    let edited: Vec<_> = (0..EDITS).map(|_| *programme.chance.one_of(&programme.cases)).collect();
    catchup_bytes::edit(&mut colleague.phone, &edited, &programme.chance);
    let changes = programme::sync(&mut colleague.phone).sent;
    let body = request_body(&mut example.phone);
    let folder = programme::folder_in_memory();
    programme.copy_data(folder.path());
    let chance = programme.chance.clone();
    drop(programme);
    let crowd = crowd::enrol(folder.path(), phones, &chance);
    let mut server = OtherProcess::start(&["--bench", SERVER_ROLE, folder.path().to_str().expect("a folder's name")]);
    let url = server.line();
    let address = url.strip_prefix("http://").expect("an address").to_owned();
    let started = Instant::now();
    let mut answers = ask_all(&address, &crowd, &body);
    let elapsed_s = started.elapsed().as_secs_f64();
    let rss_mib = server.peak_rss_bytes() as f64 / 1024.0 / 1024.0;
    server.end();
    answers.sort_by(|one, other| one.ms.total_cmp(&other.ms));
    let at = |share: usize| answers.get((answers.len() * share / 100).min(answers.len() - 1)).map_or(0.0, |one| one.ms);
    let mut outcome = Outcome::value("fanout", rss_mib, Some(GOAL_MIB));
    outcome.put("unit", "MiB of the server").put("phones", phones).put("changes_each", changes).put("cases", cases);
    outcome.put("requests_per_s", rounded(phones as f64 / elapsed_s));
    outcome.put("p50_ms", rounded(at(50))).put("p99_ms", rounded(at(99)));
    outcome.put("bytes_each", json!(answers.first().map(|answer| answer.bytes)));
    outcome
}

/// The body of a phone's next request.
pub(crate) fn request_body(phone: &mut Phone) -> Vec<u8> {
    let mut courier = Courier::new(Config::default());
    let now_ms = phone.now_ms();
    courier.tell(Event::SyncRequested, now_ms, 1);
    loop {
        match courier.step(phone.store_mut(), now_ms, 1) {
            Step::Outward(Outward::Send { body, .. }) => return body,
            Step::Rest => panic!("a phone that is asked to sync sends"),
            _ => {}
        }
    }
}

struct Answered {
    ms: f64,
    bytes: usize,
}

/// Everybody asks at once, over connections of their own.
fn ask_all(address: &str, crowd: &[Member], body: &[u8]) -> Vec<Answered> {
    let runtime = Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let asked: Vec<_> = crowd.iter().map(|member| (address.to_owned(), member.request(body))).collect();
        let tasks: Vec<_> = asked
            .into_iter()
            .map(|(address, request)| tokio::spawn(async move { ask(&address, &request).await }))
            .collect();
        let mut answers = Vec::new();
        for task in tasks {
            answers.push(task.await.expect("an answer"));
        }
        answers
    })
}

async fn ask(address: &str, request: &[u8]) -> Answered {
    let started = Instant::now();
    let mut connection = TcpStream::connect(address).await.expect("a connection");
    connection.write_all(request).await.expect("a request");
    let mut answer = Vec::new();
    connection.read_to_end(&mut answer).await.expect("an answer");
    assert!(answer.starts_with(b"HTTP/1.1 200"), "the server answers");
    Answered { ms: started.elapsed().as_secs_f64() * 1_000.0, bytes: answer.len() }
}
