//! Networks as they are: slow, far away, cut every few seconds, silent, and out of order.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::time::{Duration, Instant};

use foras::exchange::SyncReport;
use foras::link::http::Patience;
use foras::phone::{Phone, Setting};
use foras_record::role::Role;
use foras_tests::app::{App, until};
use foras_tests::office::{Office, registration};
use foras_tests::proxy::{Carried, Faults, Proxy};
use foras_tests::world::chance::Chance;
use foras_wire::limits::PAGE_BYTES;

/// Prose that does not compress below half its length.
fn prose(chance: &Chance, length: usize) -> String {
    let mut text = String::new();
    while text.len() < length {
        text.push_str(&format!("{:016x}", chance.number()));
    }
    text
}

/// A point whose register holds some hundred people with long plans, and the ids of their cases.
fn point(people: u32, chance: &Chance) -> (Office, Vec<String>) {
    let office = Office::open();
    let folder = tempfile::tempdir().unwrap();
    let mut phone = office.enrol(Role::Outreach, folder.path());
    let names = ["Awa", "Fatou", "Ibrahim", "Moussa", "Aminata", "Oumar", "Kadiatou"];
    let register = |number: u32| {
        let name = format!("{} {number}", names[number as usize % names.len()]);
        let case = phone.register(&registration(&name)).unwrap().id;
        phone.edit(&case, &[Setting::new("business_plan", prose(chance, 2_400))]).unwrap();
        case
    };
    let cases = (0..people).map(register).collect();
    assert_eq!(phone.sync(None).unwrap().pending, 0);
    (office, cases)
}

/// Writes something about each of the cases, as somebody does who was away for days.
fn write(phone: &mut Phone, cases: &[String], chance: &Chance) {
    for case in cases {
        let text = format!("asked again: {}", prose(chance, 1_200));
        phone.edit(case, &[Setting::new("business_plan", text)]).unwrap();
    }
}

/// Whether the phone holds what was written about each of the cases.
fn holds(phone: &mut Phone, cases: &[String]) -> bool {
    cases.iter().all(|case| {
        let shown = serde_json::to_value(phone.show(case).unwrap()).unwrap();
        shown.to_string().contains("asked again: ")
    })
}

/// What a link carried between two moments.
fn between(before: Carried, after: Carried) -> Carried {
    Carried {
        up: after.up - before.up,
        down: after.down - before.down,
        connections: after.connections - before.connections,
        cuts: after.cuts - before.cuts,
    }
}

/// What a cut may cost: one page, and asking again.
fn assert_little_was_lost(what: &str, clean: Carried, cut: Carried) {
    let allowed = cut.cuts * PAGE_BYTES as u64;
    let again = cut.connections.saturating_sub(clean.connections) * 1_024;
    println!(
        "{what}: {} B down and {} B up over {} connections with {} cuts; without cuts {} B and {} B",
        cut.down, cut.up, cut.connections, cut.cuts, clean.down, clean.up
    );
    assert!(cut.down <= clean.down + allowed + again, "down: {cut:?}, without cuts {clean:?}");
    assert!(cut.up <= clean.up + allowed + again, "up: {cut:?}, without cuts {clean:?}");
}

/// A phone starts cold under `faults`, goes offline, both sides write, and it catches up.
fn story(faults: &Faults, people: u32, limit: Duration) {
    let chance = Chance::new(7);
    let (office, cases) = point(people, &chance);
    let folders: Vec<_> = (0..2).map(|_| tempfile::tempdir().unwrap()).collect();
    let enrol = |at: usize| office.enrol(Role::HostCounsellor, folders[at].path());

    // The same over a link without faults, to compare.
    let clean = Proxy::open(&office.url, Faults::default());
    let mut colleague = enrol(0);
    colleague.sync(Some(&clean.url)).unwrap();
    let cold = clean.carried();

    let link = Proxy::open(&office.url, faults.clone());
    let begun = Instant::now();
    let app = App::open(enrol(1), &link.url, Patience::default());
    assert_eq!(app.synced(limit).pending, 0);
    println!("cold start: {:.1} s", begun.elapsed().as_secs_f64());
    assert_little_was_lost("cold start", cold, link.carried());
    app.look(|phone| cases.iter().for_each(|case| assert_eq!(phone.show(case).unwrap().id, *case)));

    // A valley without a network. Both write, each about half of the cases.
    link.change(Faults { silent_after_bytes: Some(0), ..Faults::default() });
    let (mine, theirs) = cases.split_at(cases.len() / 2);
    let before = clean.carried();
    write(&mut colleague, theirs, &chance);
    let caught_up = |report: SyncReport| assert_eq!((report.pending, report.refused), (0, 0));
    caught_up(colleague.sync(Some(&clean.url)).unwrap());
    app.look(|phone| write(phone, mine, &chance));
    let one_way = between(before, clean.carried());

    let (before, begun) = (link.carried(), Instant::now());
    link.change(faults.clone());
    app.work(|_| ());
    while app.look(|phone| phone.status().unwrap().pending > 0 || !holds(phone, theirs)) {
        let _ = app.synced(limit.saturating_sub(begun.elapsed()));
    }
    println!("catch-up: {:.1} s", begun.elapsed().as_secs_f64());
    // The own half goes up as the colleague's did, and hers comes down, in other frames: a quarter more at most.
    let expected = Carried { down: one_way.down + one_way.up * 5 / 4, up: one_way.up * 5 / 4, ..one_way };
    assert_little_was_lost("catch-up", expected, between(before, link.carried()));
    caught_up(colleague.sync(None).unwrap());
    assert!(holds(&mut colleague, &cases) && app.look(|phone| holds(phone, &cases)));
    let mut chunks = office.chunks();
    let stored = chunks.len();
    chunks.sort_unstable();
    chunks.dedup();
    assert_eq!(chunks.len(), stored, "nothing counts twice");
}

#[test]
fn a_phone_at_the_edge_of_a_network_starts_cold_and_catches_up() {
    let faults = Faults {
        delay: Duration::from_millis(30),
        bytes_s: Some(62_500),
        cut_every: Some(Duration::from_millis(1_500)),
        ..Faults::default()
    };
    story(&faults, 200, Duration::from_secs(60));
}

#[test]
fn six_hundred_milliseconds_fifty_kilobits_and_a_cut_every_twenty_seconds() {
    let faults = Faults {
        delay: Duration::from_millis(300),
        bytes_s: Some(6_250),
        cut_every: Some(Duration::from_secs(20)),
        ..Faults::default()
    };
    story(&faults, 200, Duration::from_secs(85));
}

/// As long as a test has: a second of silence, a body that travels at once, two seconds of waiting for news.
const SHORT: Patience =
    Patience { connect: Duration::from_secs(1), silence: Duration::from_secs(1), upload_bytes_s: 1_000_000, wait_s: 2 };

/// How the first sync ends that reaches the network after `carried`.
fn end_after(app: &App, link: &Proxy, carried: Carried) -> Result<SyncReport, String> {
    until("the phone tries", || link.carried().connections > carried.connections);
    let tried = Instant::now();
    loop {
        let (at, end) = app.end();
        if at > tried {
            return end;
        }
    }
}

#[test]
fn a_connection_that_falls_silent_holds_nobody_up_and_loses_nothing() {
    let office = Office::open();
    let (here, there) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let mut filler = office.enrol(Role::Outreach, there.path());
    let case = filler.register(&registration("Awa")).unwrap().id;
    filler.sync(None).unwrap();
    let link = Proxy::open(&office.url, Faults::default());
    let app = App::open(office.enrol(Role::HostCounsellor, here.path()), &link.url, SHORT);
    app.end().1.unwrap();
    // Nothing answers any more; then the head of an answer comes, and some of its body, and no more.
    let written: Vec<_> = [0, 1, 150, 220, 270].into_iter().map(|silent| (silent, format!("plan {silent}"))).collect();
    for (silent_after_bytes, plan) in &written {
        link.change(Faults { silent_after_bytes: Some(*silent_after_bytes), ..Faults::default() });
        let before = link.carried();
        app.work(|phone| phone.edit(&case, &[Setting::new("business_plan", plan)]).unwrap());
        app.ask();
        assert_eq!(end_after(&app, &link, before).unwrap_err(), "offline", "after {silent_after_bytes} B");
        let carried = between(before, link.carried());
        assert!(carried.down <= carried.connections * silent_after_bytes, "{carried:?}");
        let pending = app.look(|phone| phone.status().unwrap().pending);
        assert!(pending > 0 || *silent_after_bytes > 150, "what nobody acknowledged waits");
    }
    link.change(Faults::default());
    app.ask();
    until("everything is acknowledged", || app.look(|phone| phone.status().unwrap().pending) == 0);
    filler.sync(None).unwrap();
    let shown = serde_json::to_string(&filler.show(&case).unwrap()).unwrap();
    assert!(shown.contains("plan 270"), "the colleague lacks what was written during the silence: {shown}");
    let mut chunks = office.chunks();
    let stored = chunks.len();
    chunks.sort_unstable();
    chunks.dedup();
    assert_eq!(chunks.len(), stored, "nothing counts twice");
}

#[test]
fn a_network_that_forgets_a_waiting_connection_holds_up_neither_own_work_nor_news() {
    let office = Office::open();
    let (here, there) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let mut filler = office.enrol(Role::Outreach, there.path());
    let case = filler.register(&registration("Awa")).unwrap().id;
    filler.sync(None).unwrap();
    let link = Proxy::open(&office.url, Faults::default());
    let app = App::open(office.enrol(Role::HostCounsellor, here.path()), &link.url, SHORT);
    app.end().1.unwrap();
    let settled = |what: &str| until(what, || office.server.waiting() == 1);
    // Nobody writes here: what a colleague writes comes once the wait is over and nothing was heard.
    settled("the phone waits for news");
    link.forget();
    let write = |phone: &mut Phone, plan: &str| phone.edit(&case, &[Setting::new("business_plan", plan)]).unwrap();
    write(&mut filler, "a bakery");
    filler.sync(None).unwrap();
    until("the news came", || app.look(|phone| plan(phone, &case).contains("a bakery")));
    // Somebody writes here: that goes out over another connection at once, and what others wrote comes with it.
    settled("the phone waits again");
    link.forget();
    write(&mut filler, "a bakery and a shop");
    filler.sync(None).unwrap();
    let connections = link.carried().connections;
    app.work(|phone| phone.edit(&case, &[Setting::new("contact_language", "ff")]).unwrap());
    until("another connection", || link.carried().connections > connections);
    until("own work is acknowledged", || app.look(|phone| phone.status().unwrap().pending) == 0);
    until("the news came too", || app.look(|phone| plan(phone, &case).contains("a shop")));
}

/// What the phone shows of a case, as text.
fn plan(phone: &mut Phone, case: &str) -> String {
    serde_json::to_string(&phone.show(case).unwrap()).unwrap()
}

#[test]
fn a_request_that_arrives_after_a_later_one_counts_once_and_harms_nothing() {
    let office = Office::open();
    let (here, there) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let mut filler = office.enrol(Role::Outreach, there.path());
    let case = filler.register(&registration("Awa")).unwrap().id;
    filler.sync(None).unwrap();
    let link = Proxy::open(&office.url, Faults::default());
    let app = App::open(office.enrol(Role::HostCounsellor, here.path()), &link.url, SHORT);
    app.end().1.unwrap();
    // Every other connection is overtaken by the one after it: the phone gives up on it, and asks again.
    link.change(Faults { overtaken: Some(Duration::from_millis(2_500)), ..Faults::default() });
    let mut connections = link.carried().connections;
    for at in 0..4 {
        let language = if at % 2 == 0 { "ff" } else { "fr" };
        app.work(|phone| phone.edit(&case, &[Setting::new("contact_language", language)]).unwrap());
        until("a connection", || link.carried().connections > connections);
        connections = link.carried().connections;
    }
    until("everything is acknowledged", || app.look(|phone| phone.status().unwrap().pending) == 0);
    until("what was overtaken has arrived", || link.carried().connections >= 2 && office.server.waiting() == 1);
    let mut chunks = office.chunks();
    let stored = chunks.len();
    chunks.sort_unstable();
    chunks.dedup();
    assert_eq!(chunks.len(), stored, "nothing counts twice");
    drop(app);
    let mut phone = Phone::open(here.path()).unwrap();
    let report = phone.sync(None).unwrap();
    assert_eq!((report.sent, report.received, report.pending, report.refused), (0, 0, 0, 0));
    filler.sync(None).unwrap();
    assert_eq!(fields(&mut filler, &case), fields(&mut phone, &case), "both phones hold the same");
}

/// What a phone shows of a case's records. When each was delivered is left out: the author was told at the repeated
/// acknowledgement, others at the first.
fn fields(phone: &mut Phone, case: &str) -> Vec<serde_json::Value> {
    let shown = serde_json::to_value(phone.show(case).unwrap()).unwrap();
    shown["records"].as_array().unwrap().iter().map(|record| record["fields"].clone()).collect()
}
