//! A phone's process is killed again and again while it opens its store, edits, and syncs over real HTTP. Every edit that it
//! called durable before is on the server in the end, once, and its database is never torn.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use foras::phone::{Phone, Setting};
use foras_record::role::Role;
use foras_tests::office::{Office, registration};
use foras_tests::world::chance::Chance;

use super::{assert_whole, number_in};

/// Times that the process is killed in the ordinary run.
const KILLS: usize = 200;
/// Kills after which an office is closed, its edits looked for, and another opened.
const KILLS_OF_AN_OFFICE: usize = 100;
/// Kills after which the database's pages are looked at, and another case is taken.
const KILLS_OF_A_CASE: usize = 20;
/// Edits between two syncs.
const EDITS_OF_A_SYNC: usize = 2;
const STORE: &str = "FORAS_KILL_STORE";
const CASE: &str = "FORAS_KILL_CASE";
const ROUND: &str = "FORAS_KILL_ROUND";

/// Not a test of its own: the process that is killed.
#[test]
fn a_process_that_works_until_it_is_killed() {
    let (Ok(store), Ok(case), Ok(round)) = (std::env::var(STORE), std::env::var(CASE), std::env::var(ROUND)) else {
        return;
    };
    let say = |line: &str| {
        let mut out = std::io::stdout().lock();
        writeln!(out, "\n{line}").and_then(|()| out.flush()).unwrap();
    };
    say("opening");
    let mut phone = Phone::open(Path::new(&store)).unwrap();
    for number in 0.. {
        let value = format!("round {round} edit {number}.");
        phone.edit(&case, &[Setting::new("needs", value.as_str())]).unwrap();
        say(&format!("durable {value}"));
        if number % EDITS_OF_A_SYNC == EDITS_OF_A_SYNC - 1 {
            say("syncing");
            phone.sync(None).unwrap();
        }
    }
}

/// What the process says before it is killed, and how long after it, in microseconds. Only the moment of the kill depends
/// on that, and every moment is as good.
struct Moment {
    after: &'static str,
    times: usize,
    later_us: u64,
}

impl Moment {
    fn by(chance: &Chance) -> Self {
        let (after, times) = match chance.below(10) {
            0..2 => ("opening", 1),
            2..6 => ("durable", 1 + chance.below(4)),
            _ => ("syncing", 1 + chance.below(2)),
        };
        Self { after, times, later_us: u64::try_from(chance.below(6_000)).unwrap() }
    }
}

/// Lets the process work until its moment, kills it, and gives what it called durable.
fn work_and_die(store: &Path, case: &str, round: usize, moment: &Moment) -> Vec<String> {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "--nocapture", "phones::a_process_that_works_until_it_is_killed"])
        .env(STORE, store)
        .env(CASE, case)
        .env(ROUND, round.to_string())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let (mut durable, mut said) = (Vec::new(), 0);
    for line in lines {
        let line = line.unwrap();
        if let Some(value) = line.strip_prefix("durable ") {
            durable.push(value.to_owned());
        }
        said += usize::from(line.starts_with(moment.after));
        if said == moment.times && line.starts_with(moment.after) {
            let until = Instant::now() + Duration::from_micros(moment.later_us);
            while Instant::now() < until {
                std::hint::spin_loop();
            }
            child.kill().unwrap();
        }
    }
    let status = child.wait().unwrap();
    assert!(status.code().is_none(), "the process ended by itself: {status}");
    durable
}

/// One office and one phone, killed so often; how many edits were called durable.
fn a_phone_in_an_office(kills: usize, chance: &Chance) -> usize {
    let (office, store) = (Office::open(), tempfile::tempdir().unwrap());
    let mut phone = office.enrol(Role::Outreach, store.path());
    let mut case = phone.register(&registration("Awa")).unwrap().id;
    drop(phone);
    let mut durable = Vec::new();
    for round in 0..kills {
        durable.extend(work_and_die(store.path(), &case, round, &Moment::by(chance)));
        if round % KILLS_OF_A_CASE == KILLS_OF_A_CASE - 1 {
            assert_whole(store.path());
            case = Phone::open(store.path()).unwrap().register(&registration("Fanta")).unwrap().id;
        }
    }
    let report = Phone::open(store.path()).unwrap().sync(None).unwrap();
    assert_eq!((report.pending, report.refused), (0, 0));
    let chunks = office.chunks();
    for value in &durable {
        let kept = chunks.iter().filter(|chunk| chunk.windows(value.len()).any(|window| window == value.as_bytes()));
        assert_eq!(kept.count(), 1, "how often the server has {value:?}, which the phone called durable");
    }
    durable.len()
}

#[test]
fn nothing_durable_is_lost_when_a_phones_process_is_killed() {
    let (kills, seed) = (number_in("FORAS_KILLS").unwrap_or(KILLS), number_in("FORAS_SEED").unwrap_or(9));
    println!("FORAS_KILLS={kills} FORAS_SEED={seed}");
    let chance = Chance::new(seed as u64);
    let (mut done, mut durable) = (0, 0);
    while done < kills {
        let now = KILLS_OF_AN_OFFICE.min(kills - done);
        durable += a_phone_in_an_office(now, &chance);
        done += now;
        println!("{done} kills, {durable} durable edits, none lost");
    }
    assert!(durable >= kills / 2, "the process was killed before it did anything");
}
