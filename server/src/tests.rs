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
