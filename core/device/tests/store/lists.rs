//! Lists and search, from columns.

use foras::store::{ListQuery, Order};
use foras_record::identity;
use foras_record::kind::Kind;
use foras_record::role::Role;
use foras_wire::id::RecordId;

use crate::desk::{NOW_MS, Someone, in_memory, members, put, register};
use crate::server::Server;

fn search(words: &str) -> ListQuery {
    ListQuery { search: Some(words.to_owned()), ..ListQuery::default() }
}

#[test]
fn people_come_in_the_order_of_their_names_in_pages() {
    let (mut server, mut samira) = (Server::new(), in_memory(1));
    server.enrol(&mut samira, Role::Outreach, &["oujda"], None, "Samira");
    for (number, name) in (1..).zip(["Zahra", "élodie", "Awa", "Éric", "Binta"]) {
        register(&mut samira, Someone::numbered(number), name, "oujda", number);
    }
    let page = |page| {
        let query = ListQuery { page, page_items: 2, ..ListQuery::default() };
        let listing = samira.list(Kind::Person, &query).unwrap();
        assert_eq!((listing.total, listing.pages), (5, 3));
        listing.items.into_iter().map(|item| item.title).collect::<Vec<_>>()
    };
    assert_eq!([page(1), page(2), page(3)].concat(), ["Awa", "Binta", "élodie", "Éric", "Zahra"]);
    assert_eq!(page(4), Vec::<String>::new());
    assert_eq!(page(0), page(1));
}

#[test]
fn a_search_knows_neither_accents_nor_case_and_takes_words_in_any_order() {
    let (mut server, mut samira) = (Server::new(), in_memory(1));
    server.enrol(&mut samira, Role::Outreach, &["oujda"], None, "Samira");
    register(&mut samira, Someone::numbered(1), "Élodie Traoré", "oujda", 1);
    register(&mut samira, Someone::numbered(2), "Awa 100% _x", "oujda", 2);
    let phones = members(Someone::numbered(1).person, "phone", &["+212612345678"]);
    samira.commit(NOW_MS, &[phones]).unwrap();
    let found = |words: &str| samira.list(Kind::Person, &search(words)).unwrap().total;
    assert_eq!([found("elodie"), found("TRAORE elo"), found("traore awa"), found("")], [1, 1, 0, 2]);
    assert_eq!([found("612345"), found("0612345678"), found("T1-1"), found("t1-2")], [1, 1, 1, 1]);
    assert_eq!([found("%"), found("_"), found("'"), found("\\")], [1, 0, 0, 0]);
}

#[test]
fn sessions_come_by_their_start_and_an_item_tells_its_case_number() {
    let (mut server, mut samira) = (Server::new(), in_memory(1));
    server.enrol(&mut samira, Role::Outreach, &["oujda"], None, "Samira");
    for (number, start) in (1..).zip(["2026-10-07T09:00:00+01:00", "2026-10-06T09:00:00+01:00"]) {
        let session = identity::record(Kind::Session, RecordId([number; 16]), None);
        let mut edits = put(session, "module", "awareness");
        edits.edits.extend(put(session, "point", "oujda").edits);
        edits.edits.extend(put(session, "start", start).edits);
        samira.commit(NOW_MS, &[edits]).unwrap();
    }
    let query = ListQuery { order: Order::Earliest, point: Some("oujda".into()), ..ListQuery::default() };
    let sessions = samira.list(Kind::Session, &query).unwrap().items;
    assert!(sessions[0].sort_at < sessions[1].sort_at);
    register(&mut samira, Someone::numbered(1), "Awa", "oujda", 1);
    let item = samira.item(&Someone::numbered(1).person).unwrap();
    assert_eq!((item.case_number.as_str(), item.point.as_str()), ("T1-1", "oujda"));
    assert_eq!(item.case_columns["country"], "ML");
}
