//! Stories that need a hand inside the server.
#![allow(unreachable_pub, unused_imports)]

use crate::storage::{Database, settings};

#[path = "../tests/stories/field/mod.rs"]
mod field;

use field::{Office, Person};

fn limit_pages(db: &Database, pages: i64) {
    db.write(|db| {
        db.pragma_update_and_check(None, "max_page_count", pages, |_| Ok(()))?;
        Ok::<_, crate::ServerError>(())
    })
    .unwrap();
}

#[test]
fn a_full_disk_takes_nothing_and_still_gives() {
    let mut office = Office::open();
    let (mut worker, mut other) = (office.outreach("oujda", "Agent"), office.outreach("oujda", "Agent 2"));
    Person::register(&mut office, &mut worker, "oujda", "Awa");
    worker.sync(&mut office).durable();
    let people: Vec<_> =
        (0..40).map(|_| Person::register(&mut office, &mut worker, "oujda", &"Binta ".repeat(20))).collect();
    limit_pages(&office.server.db, 1);
    let request = worker.request_with(vec![worker.push()]);
    let answer = worker.send(&mut office, &request);
    assert_eq!(answer.exceptions(), vec!["later"; 120]);
    other.sync(&mut office).durable();
    assert!(other.records.len() > 5, "reads stay up");
    limit_pages(&office.server.db, 1 << 30);
    worker.send(&mut office, &request).durable();
    other.sync(&mut office).durable();
    assert!(people.iter().all(|person| other.holds(&person.case)));
}

#[test]
fn a_database_of_another_server_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    drop(crate::Server::open(dir.path()).unwrap());
    let db = Database::open(&dir.path().join("foras.db")).unwrap();
    db.write(|db| settings::set(db, settings::SERVER, Some("00000000000000000000000000000000"))).unwrap();
    drop(db);
    assert_eq!(crate::Server::open(dir.path()).unwrap_err().code(), "corrupt");
}

#[test]
fn what_left_an_audience_is_not_sent_even_where_its_log_still_names_it() {
    let mut office = Office::open();
    let (mut worker, mut other) = (office.outreach("oujda", "Agent"), office.outreach("oujda", "Agent 2"));
    let gone = Person::register(&mut office, &mut worker, "oujda", "Awa");
    let kept = Person::register(&mut office, &mut worker, "oujda", "Binta");
    worker.sync(&mut office).durable();
    // Whatever may have brought it about: the records left, and the log's rows were not made stubs.
    let left =
        "UPDATE record_audience SET left_ms = 1 WHERE id IN (SELECT id FROM record WHERE case_id = ?1 OR id = ?1)";
    let rows =
        office.server.db.write(|db| Ok::<_, crate::ServerError>(db.execute(left, [gone.case.key.id.0])?)).unwrap();
    assert!(rows > 2, "{rows}");
    other.sync(&mut office);
    assert!(other.holds(&kept.case));
    assert!(!other.holds(&gone.case), "a record came that is of none of the phone's audiences");
    let of_gone = other.records.values().filter(|(record, _)| record.case == Some(gone.case.key.id));
    assert_eq!(of_gone.count(), 0);
}
