//! What a phone that is met may try, and how changes that the server refuses leave again.

use std::collections::BTreeSet;

use ed25519_dalek::SigningKey;
use foras::exchange::peer::{Meeting, MeetingStep, PeerReport, PeerStopped};
use foras::store::{Delivery, Handed, Kept, Store};
use foras_record::proof;
use foras_record::role::Role;
use foras_sync::work::{Fate, Settlement};
use foras_wire::audience::AudienceName;
use foras_wire::carried::CarriedPush;
use foras_wire::grant::{Grant, SignedGrant};
use foras_wire::id::{DeviceId, Nonce, ServerId};
use foras_wire::peer::{
    Offer, OfferedRecord, PeerFrame, PeerHello, PeerProof, PeerReader, Side, Want, encode_peer_frame,
    meeting_signed_bytes, prefix,
};
use foras_wire::version::ProtocolRange;

use crate::desk::{NOW_MS, Someone, in_memory, put, register, shown};
use crate::server::Server;

/// Two outreach workers in Oujda who both hold Awa, and no network from here on.
fn oujda() -> (Server, Store, Store, Someone) {
    let (mut server, mut samira, mut karim) = (Server::new(), in_memory(1), in_memory(2));
    server.enrol(&mut samira, Role::Outreach, &["oujda"], None, "Samira");
    server.enrol(&mut karim, Role::Outreach, &["oujda"], None, "Karim");
    let awa = Someone::numbered(1);
    register(&mut samira, awa, "Awa", "oujda", 1);
    server.sync(&mut samira);
    server.sync(&mut karim);
    (server, samira, karim, awa)
}

/// Everything that `from` can hand to somebody who holds `to`'s audiences.
fn pushes(from: &mut Store, to: &Store) -> Vec<CarriedPush> {
    let grant = to.identity().unwrap().grant().clone();
    let audiences: BTreeSet<AudienceName> = grant.audiences.iter().cloned().collect();
    let shareable = from.shareable(&audiences, Some(&grant.device), NOW_MS).unwrap();
    let lacks = to.lacks(&shareable.offer).unwrap();
    let chosen: Vec<_> =
        shareable.choices.iter().zip(lacks).filter(|(_, lacks)| *lacks).map(|(choice, _)| *choice).collect();
    let parcels = from.parcels(&chosen).unwrap();
    parcels.iter().filter_map(|parcel| from.push_of(parcel, &audiences, NOW_MS).unwrap()).collect()
}

fn hand_over(from: &mut Store, to: &mut Store) -> Vec<Kept> {
    let pushes = pushes(from, to);
    pushes.iter().flat_map(|push| to.keep_carried(push, Handed::ForThisDevice, NOW_MS).unwrap()).collect()
}

fn refuse_all(store: &mut Store, code: &str) -> foras::store::Settled {
    let work = store.work(&foras::store::WorkLimits::default()).unwrap();
    let fate = Fate::Refused { code: code.to_owned() };
    let rows = work.carried.iter().flat_map(|out| &out.rows);
    let settlements: Vec<_> = rows.map(|row| Settlement { row: *row, fate: fate.clone() }).collect();
    store.settle_carried(&settlements, NOW_MS).unwrap()
}

#[test]
fn what_the_server_refuses_leaves_and_own_work_on_it_is_written_anew() {
    let (mut server, mut samira, mut karim, awa) = oujda();
    samira.commit(NOW_MS, &[put(awa.person, "name", "Hawa")]).unwrap();
    assert_eq!(hand_over(&mut samira, &mut karim), [Kept::Applied]);
    assert_eq!(shown(&mut karim, &awa.person, "name").as_deref(), Some("Hawa"));
    assert_eq!(karim.delivery(&awa.person.key).unwrap(), Delivery::Carried);
    // Karim writes upon it, without knowing that it will not stand.
    karim.commit(NOW_MS, &[put(awa.person, "contact_language", "ff")]).unwrap();
    let before = karim.identity().unwrap().incarnation();
    let settled = refuse_all(&mut karim, "not_allowed");
    assert_eq!((settled.refused, settled.reissued), (1, 1));
    assert_ne!(karim.identity().unwrap().incarnation(), before);
    assert_eq!(shown(&mut karim, &awa.person, "name").as_deref(), Some("Awa"));
    assert_eq!(shown(&mut karim, &awa.person, "contact_language").as_deref(), Some("ff"));
    assert_eq!((karim.carried().unwrap(), karim.pending().unwrap().changes), (0, 1));
    // No other phone brings it back.
    let again = pushes(&mut samira, &karim);
    assert!(again.is_empty(), "it is not asked for again");
    server.sync(&mut karim);
    server.assert_converged(&mut karim);
}

#[test]
fn a_registration_that_the_server_refuses_is_no_record_any_more() {
    let (_, mut samira, mut karim, _) = oujda();
    let fatou = Someone::numbered(2);
    register(&mut samira, fatou, "Fatou", "oujda", 2);
    assert_eq!(hand_over(&mut samira, &mut karim), [Kept::Applied; 3]);
    assert_eq!(shown(&mut karim, &fatou.person, "name").as_deref(), Some("Fatou"));
    assert_eq!(refuse_all(&mut karim, "no_basis").refused, 3);
    assert!(karim.records_of_case(&fatou.case_id()).unwrap().is_empty());
}

#[test]
fn own_work_that_is_refused_takes_along_what_others_built_on_it() {
    let (mut server, mut samira, mut karim, awa) = oujda();
    karim.commit(NOW_MS, &[put(awa.person, "contact_language", "ff")]).unwrap();
    hand_over(&mut karim, &mut samira);
    samira.commit(NOW_MS, &[put(awa.person, "name", "Hawa")]).unwrap();
    assert_eq!(hand_over(&mut samira, &mut karim), [Kept::Applied]);
    server.refuse.insert("contact_language", "not_allowed");
    server.sync(&mut karim);
    assert_eq!(shown(&mut karim, &awa.person, "contact_language"), None);
    assert_eq!(shown(&mut karim, &awa.person, "name").as_deref(), Some("Awa"), "what built on it left with it");
    assert_eq!((karim.refused().unwrap().len(), karim.carried().unwrap()), (1, 0));
    server.assert_converged(&mut karim);
}

#[test]
fn what_builds_on_something_unknown_waits_for_the_server_to_bring_it() {
    let (mut server, mut samira, mut karim, awa) = oujda();
    samira.commit(NOW_MS, &[put(awa.person, "name", "Hawa")]).unwrap();
    server.sync(&mut samira);
    // Samira is ahead of Karim, and writes on.
    samira.commit(NOW_MS, &[put(awa.person, "name", "Aoua")]).unwrap();
    assert_eq!(hand_over(&mut samira, &mut karim), [Kept::Waiting]);
    assert_eq!(shown(&mut karim, &awa.person, "name").as_deref(), Some("Awa"));
    assert_eq!(karim.carried().unwrap(), 1);
    server.sync(&mut karim);
    assert_eq!(shown(&mut karim, &awa.person, "name").as_deref(), Some("Aoua"));
    assert_eq!(karim.delivery(&awa.person.key).unwrap(), Delivery::Carried);
    server.sync(&mut samira);
    server.sync(&mut karim);
    assert_eq!((karim.carried().unwrap(), karim.delivery(&awa.person.key).unwrap().state()), (0, "server"));
    server.assert_converged(&mut karim);
}

#[test]
fn an_altered_change_and_a_split_action_are_refused_whole() {
    let (_, mut samira, mut karim, awa) = oujda();
    samira.commit(NOW_MS, &[put(awa.person, "name", "Hawa"), put(awa.badge, "name", "Hawa")]).unwrap();
    let whole = pushes(&mut samira, &karim).remove(0);
    let mut altered = whole.clone();
    let chunk = &mut altered.items[0].chunk;
    let at = chunk.windows(4).position(|bytes| bytes == b"Hawa").unwrap();
    chunk[at..at + 4].copy_from_slice(b"Xawa");
    assert!(matches!(
        karim.keep_carried(&altered, Handed::ForThisDevice, NOW_MS).unwrap()[..],
        [Kept::Refused(_), Kept::Refused(_)]
    ));
    let mut split = whole.clone();
    split.items[1].change_set += 1;
    assert_eq!(karim.keep_carried(&split, Handed::ForThisDevice, NOW_MS).unwrap(), [Kept::Refused("bad_signature"); 2]);
    let mut moved = whole.clone();
    moved.items[0].record = awa.case;
    assert_eq!(karim.keep_carried(&moved, Handed::ForThisDevice, NOW_MS).unwrap(), [Kept::Refused("bad_signature"); 2]);
    let mut other_epoch = whole.clone();
    other_epoch.epoch += 1;
    assert_eq!(
        karim.keep_carried(&other_epoch, Handed::ForThisDevice, NOW_MS).unwrap(),
        [Kept::Refused("bad_signature"); 2]
    );
    assert_eq!((karim.carried().unwrap(), shown(&mut karim, &awa.person, "name").as_deref()), (0, Some("Awa")));
    assert_eq!(karim.keep_carried(&whole, Handed::ForThisDevice, NOW_MS).unwrap(), [Kept::Applied; 2]);
}

#[test]
fn a_forged_or_expired_grant_opens_nothing() {
    let (server, mut samira, mut karim, awa) = oujda();
    samira.commit(NOW_MS, &[put(awa.person, "name", "Hawa")]).unwrap();
    let honest = pushes(&mut samira, &karim).remove(0);
    let forger = SigningKey::from_bytes(&[66; 32]);
    let mut forged = honest.clone();
    forged.grant = proof::sign_grant(&forger, &forged.grant.grant().unwrap());
    assert_eq!(karim.keep_carried(&forged, Handed::ForThisDevice, NOW_MS).unwrap(), [Kept::Refused("bad_signature")]);
    // The right server, another device's key: the push is not that device's.
    let mut borrowed = honest.clone();
    borrowed.grant = proof::sign_grant(&server.key, &Grant { key: proof::public_key(&forger), ..grant_of(&samira) });
    assert_eq!(karim.keep_carried(&borrowed, Handed::ForThisDevice, NOW_MS).unwrap(), [Kept::Refused("bad_signature")]);
    // A year without contact: by Karim's own clock since the server's last time, whatever the date.
    let year_ms = 366 * 86_400_000;
    assert_eq!(
        karim.keep_carried(&honest, Handed::ForThisDevice, NOW_MS + year_ms).unwrap(),
        [Kept::Refused("grant_expired")]
    );
    assert_eq!(
        karim.keep_carried(&honest, Handed::ForThisDevice, NOW_MS - 10 * year_ms).unwrap(),
        [Kept::Applied],
        "a clock set back"
    );
}

#[test]
fn another_points_people_are_not_taken_and_not_given() {
    let (mut server, mut samira, _, awa) = oujda();
    let mut nadia = in_memory(3);
    server.enrol(&mut nadia, Role::Outreach, &["rabat"], None, "Nadia");
    server.sync(&mut nadia);
    samira.commit(NOW_MS, &[put(awa.person, "name", "Hawa")]).unwrap();
    let fatou = Someone::numbered(2);
    register(&mut samira, fatou, "Fatou", "oujda", 2);
    assert!(pushes(&mut samira, &nadia).is_empty());
    // A hostile phone hands it over all the same.
    let all: BTreeSet<AudienceName> = samira.identity().unwrap().audiences().iter().cloned().collect();
    let choices = samira.shareable(&all, None, NOW_MS).unwrap().choices;
    for parcel in samira.parcels(&choices).unwrap() {
        let push = samira.push_of(&parcel, &all, NOW_MS).unwrap().unwrap();
        for kept in nadia.keep_carried(&push, Handed::ForThisDevice, NOW_MS).unwrap() {
            assert!(matches!(kept, Kept::Refused("not_yours") | Kept::Waiting), "{kept:?}");
        }
    }
    assert!(nadia.holdings().unwrap().is_empty());
}

fn grant_of(store: &Store) -> Grant {
    store.identity().unwrap().grant().clone()
}

/// A hostile phone at the other end: it has a key and a grant, and says what it likes.
struct Stranger {
    key: SigningKey,
    grant: SignedGrant,
    device: DeviceId,
    server: ServerId,
}

impl Stranger {
    /// One whom the server let in.
    fn granted(server: &Server, like: &Store) -> Self {
        let key = SigningKey::from_bytes(&[77; 32]);
        let grant = Grant { key: proof::public_key(&key), device: DeviceId([0x77; 16]), ..grant_of(like) };
        Self { grant: proof::sign_grant(&server.key, &grant), device: grant.device, server: server.id, key }
    }

    fn hello(&self, nonce: u8) -> PeerFrame {
        PeerFrame::Hello(PeerHello {
            protocol: ProtocolRange::OURS,
            server: self.server,
            nonce: Nonce([nonce; 16]),
            audiences: Vec::new(),
        })
    }

    fn proof(&self, side: Side, came: &Nonce, found: &Nonce) -> PeerFrame {
        let bytes = meeting_signed_bytes(side, &self.server, &self.device, came, found);
        let signature = proof::sign_meeting(&self.key, &bytes);
        PeerFrame::Proof(PeerProof { grant: self.grant.clone(), signature })
    }
}

/// What the phone in hand says until it waits, and how it ended.
fn run(meeting: &mut Meeting, store: &mut Store) -> (Vec<PeerFrame>, Option<Result<PeerReport, PeerStopped>>) {
    let (mut reader, mut said) = (PeerReader::default(), Vec::new());
    reader.trust();
    let ended = loop {
        match meeting.step(store, NOW_MS) {
            MeetingStep::Inward => {}
            MeetingStep::Write(bytes) => reader.feed(&bytes),
            MeetingStep::Rest => break None,
            MeetingStep::Finished(report) => break Some(Ok(report)),
            MeetingStep::Stopped(stopped) => break Some(Err(stopped)),
        }
    };
    while let Some(frame) = reader.next_frame().unwrap() {
        said.push(frame);
    }
    (said, ended)
}

/// Says frames to a phone that was found; the code with which it ends the meeting.
fn ends_with(store: &mut Store, frames: &[PeerFrame]) -> String {
    let mut meeting = Meeting::new(Side::Found);
    for frame in frames {
        meeting.received(&encode_peer_frame(frame));
        if let (_, Some(ended)) = run(&mut meeting, store) {
            return ended.map_or_else(|stopped| stopped.error.code().to_owned(), |_| "finished".to_owned());
        }
    }
    "goes on".to_owned()
}

/// A stranger who has proved itself to `store`, and the meeting after it.
fn proved(stranger: &Stranger, store: &mut Store) -> (Meeting, Vec<PeerFrame>) {
    let mut meeting = Meeting::new(Side::Found);
    meeting.received(&encode_peer_frame(&stranger.hello(5)));
    let (said, _) = run(&mut meeting, store);
    let [PeerFrame::Hello(hello)] = &said[..] else { panic!("{said:?}") };
    meeting.received(&encode_peer_frame(&stranger.proof(Side::Came, &Nonce([5; 16]), &hello.nonce)));
    let (said, ended) = run(&mut meeting, store);
    assert!(ended.is_none(), "{ended:?}");
    (meeting, said)
}

#[test]
fn who_cannot_prove_a_grant_is_told_nothing() {
    let (server, mut samira, karim, awa) = oujda();
    samira.commit(NOW_MS, &[put(awa.person, "name", "Hawa")]).unwrap();
    let stranger = Stranger::granted(&server, &karim);
    // An answer to another meeting's challenges.
    let replayed = [stranger.hello(5), stranger.proof(Side::Came, &Nonce([5; 16]), &Nonce([6; 16]))];
    assert_eq!(ends_with(&mut samira, &replayed), "bad_signature");
    let elsewhere = Stranger { server: ServerId([9; 16]), ..Stranger::granted(&server, &karim) };
    assert_eq!(ends_with(&mut samira, &[elsewhere.hello(5)]), "another_server");
    let impatient = [stranger.hello(5), PeerFrame::Offer(Offer::default())];
    assert_eq!(ends_with(&mut samira, &impatient), "out_of_turn");
    assert_eq!(ends_with(&mut samira, &[PeerFrame::Done]), "out_of_turn");
    let (_, said) = proved(&stranger, &mut samira);
    assert!(matches!(said[..], [PeerFrame::Proof(_), PeerFrame::Offer(_)]), "with a grant it goes on: {said:?}");
}

#[test]
fn a_phones_own_words_are_not_taken_back() {
    let (server, mut samira, karim, _) = oujda();
    let stranger = Stranger::granted(&server, &karim);
    let mut meeting = Meeting::new(Side::Came);
    let (said, _) = run(&mut meeting, &mut samira);
    // The stranger sends the same challenge back, to have it signed.
    meeting.received(&encode_peer_frame(&said[0]));
    let (said, ended) = run(&mut meeting, &mut samira);
    assert!(said.is_empty());
    assert_eq!(ended.unwrap().unwrap_err().error.code(), "replayed_nonce");
    // A proof that was made for the other side of a meeting counts for nothing.
    let mut meeting = Meeting::new(Side::Came);
    let (said, _) = run(&mut meeting, &mut samira);
    let [PeerFrame::Hello(hello)] = &said[..] else { panic!("{said:?}") };
    meeting.received(&encode_peer_frame(&stranger.hello(5)));
    run(&mut meeting, &mut samira);
    meeting.received(&encode_peer_frame(&stranger.proof(Side::Came, &hello.nonce, &Nonce([5; 16]))));
    let (_, ended) = run(&mut meeting, &mut samira);
    assert_eq!(ended.unwrap().unwrap_err().error.code(), "bad_signature");
}

#[test]
fn endless_frames_end() {
    let (server, mut samira, karim, awa) = oujda();
    samira.commit(NOW_MS, &[put(awa.person, "name", "Hawa")]).unwrap();
    let stranger = Stranger::granted(&server, &karim);
    let unknown: Vec<_> = (0..100).map(|_| PeerFrame::Unknown(99)).collect();
    assert_eq!(ends_with(&mut samira, &unknown), "out_of_turn");
    // It offers one change, and hands another over again and again.
    let own = pushes(&mut samira, &karim).remove(0);
    let (mut meeting, _) = proved(&stranger, &mut samira);
    meeting.received(&encode_peer_frame(&PeerFrame::Want(Want::default())));
    let prefixes = prefix(&proof::carried_hashes(&own).unwrap()[0]).map(|byte| !byte).to_vec();
    let offer = Offer { records: vec![OfferedRecord { key: awa.person.key, prefixes }] };
    meeting.received(&encode_peer_frame(&PeerFrame::Offer(offer)));
    let (said, ended) = run(&mut meeting, &mut samira);
    assert!(matches!(said[..], [PeerFrame::Done, PeerFrame::Want(_)]) && ended.is_none(), "{said:?}");
    meeting.received(&encode_peer_frame(&PeerFrame::Carried(own)));
    let (_, ended) = run(&mut meeting, &mut samira);
    assert_eq!(ended.unwrap().unwrap_err().error.code(), "unasked");
    // A frame that claims to be longer than any.
    let mut meeting = Meeting::new(Side::Found);
    meeting.received(&[1, 0xff, 0xff, 0xff, 0xff]);
    let (_, ended) = run(&mut meeting, &mut samira);
    assert_eq!(ended.unwrap().unwrap_err().error.code(), "too_large");
}

#[test]
fn random_words_from_a_peer_never_panic_and_write_nothing() {
    use rand_core::{Rng, SeedableRng};
    let (server, mut samira, karim, _) = oujda();
    let stranger = Stranger::granted(&server, &karim);
    let before = samira.content_by_audience().unwrap();
    for seed in 0..300_u64 {
        let mut random = rand_chacha::ChaCha8Rng::seed_from_u64(seed);
        let (mut meeting, _) =
            if seed % 2 == 0 { proved(&stranger, &mut samira) } else { (Meeting::new(Side::Found), Vec::new()) };
        let mut body = vec![0; (random.next_u32() % 200) as usize];
        random.fill_bytes(&mut body);
        let mut bytes = vec![(random.next_u32() % 10) as u8];
        bytes.extend_from_slice(&u32::try_from(body.len() + 1).unwrap().to_be_bytes());
        bytes.push(0);
        bytes.extend_from_slice(&body);
        meeting.received(&bytes);
        run(&mut meeting, &mut samira);
    }
    assert_eq!(samira.content_by_audience().unwrap(), before);
    assert_eq!(samira.carried().unwrap(), 0);
}
