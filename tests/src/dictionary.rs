//! What the dictionary of the wire is made of: bodies and frames of a made-up programme, in which each kind of record is
//! written, each field set, and everybody syncs often and little. `core/wire/dictionary/README.md` says how it is used.

use std::collections::BTreeSet;

use foras::exchange::{Courier, Outward, Step};
use foras::phone::{ConsentEvent, FieldShown, NewSession, Phone, Registration, Setting, fields};
use foras_record::role::Role;
use foras_sync::Event;
use foras_sync::engine::Config;
use foras_wire::codec;
use foras_wire::frame::encode_frame;
use foras_wire::stream::FrameReader;

use crate::point::Point;
use crate::world::chance::Chance;
use crate::world::network::{Request, answer};

const COUNTRIES: [&str; 8] = ["ML", "GN", "SN", "CI", "CM", "BF", "TG", "NG"];
const LANGUAGES: [&str; 8] = ["fr", "ff", "bm", "wo", "en", "ar", "ha", "ln"];
const MODULES: [&str; 5] = ["awareness", "life_soft_skills", "entrepreneurship_marketing", "agriculture", "crafts"];
const SYLLABLES: [&str; 24] = [
    "ba", "di", "ka", "lo", "ma", "na", "sou", "ta", "ri", "wa", "yé", "ko", "fa", "gui", "la", "mo", "sé", "tou",
    "ra", "bi", "dja", "nou", "pé", "zi",
];

/// The programme, and what was overheard of it.
struct Programme {
    point: Point,
    phones: Vec<Phone>,
    cases: Vec<String>,
    sessions: Vec<String>,
    overheard: Vec<Vec<u8>>,
}

/// Everything that travelled: bodies of requests and frames of answers, plain. The same for the same seed.
///
/// # Panics
/// When the programme fails.
#[must_use]
pub fn samples(seed: u64, people: usize) -> Vec<Vec<u8>> {
    let point = Point::in_memory(seed);
    let roles: [(Role, &[&str]); 7] = [
        (Role::Outreach, &["oujda"]),
        (Role::HostCounsellor, &["oujda"]),
        (Role::Trainer, &["oujda"]),
        (Role::Outreach, &["casablanca"]),
        (Role::OriginCounsellor, &["ML"]),
        (Role::OriginCounsellor, &["GN"]),
        (Role::Coordinator, &[]),
    ];
    let enrolled = |(role, places): (Role, &[&str])| {
        let mut phone = point.phone_in_memory();
        point.enrol(&mut phone, &point.invite(role, places)).expect("an enrolled phone");
        phone
    };
    let phones = roles.into_iter().map(enrolled).collect();
    let mut programme = Programme { point, phones, cases: vec![], sessions: vec![], overheard: vec![] };
    for at in 0..programme.phones.len() {
        programme.sync(at);
    }
    for number in 0..people {
        programme.somebody_comes(number);
        for _ in 0..12 {
            programme.something_happens();
        }
    }
    let mut seen = BTreeSet::new();
    programme.overheard.retain(|sample| sample.len() >= 24 && seen.insert(sample.clone()));
    programme.overheard
}

impl Programme {
    fn chance(&self) -> Chance {
        self.point.chance.clone()
    }

    fn somebody_comes(&mut self, number: usize) {
        let chance = self.chance();
        let at = pick(&chance, &[0, 1, 3]);
        let point = if at == 3 { "casablanca" } else { "oujda" };
        let country = pick(&chance, &COUNTRIES);
        let settings = [
            ("name", format!("{} {}", word(&chance, 2, true), word(&chance, 3, true))),
            ("sex", pick(&chance, &["f", "m"]).to_owned()),
            ("birth_year", (1960 + chance.below(50)).to_string()),
            ("nationality", country.to_owned()),
            ("country", country.to_owned()),
            ("point", point.to_owned()),
            ("registered_on", format!("2026-{:02}-{:02}", 1 + number % 9, 1 + number % 28)),
        ];
        let registration = Registration {
            settings: settings.into_iter().map(|(field, value)| Setting::new(field, value)).collect(),
            consents: vec![("assist".to_owned(), (pick(&chance, &["oral", "written"])).to_owned())],
            basis: None,
        };
        if let Ok(registered) = self.phones[at].register(&registration) {
            self.cases.push(registered.id);
        }
        self.sync(at);
    }

    fn something_happens(&mut self) {
        let chance = self.chance();
        let at = chance.below(self.phones.len());
        let Some(case) = self.cases.get(chance.below(self.cases.len().max(1))).cloned() else { return };
        for _ in 0..=chance.below(4) {
            self.act(at, &case);
        }
        self.point.truth.advance(1_000 * 60 * (1 + chance.below(300) as i64));
        self.sync(at);
        if chance.percent(30) {
            self.sync(chance.below(self.phones.len()));
        }
    }

    /// What the person may not do is not done; much is tried.
    fn act(&mut self, at: usize, case: &str) {
        let chance = self.chance();
        let phone = &mut self.phones[at];
        match chance.below(20) {
            0 => {
                let session = NewSession {
                    module: (pick(&chance, &MODULES)).to_owned(),
                    point: if at == 3 { "casablanca" } else { "oujda" }.to_owned(),
                    start: format!("2026-{:02}-{:02}T09:30:00+01:00", 10 + chance.below(3), 1 + chance.below(28)),
                    minutes: 60 + 30 * chance.below(5) as i64,
                    capacity: 8 + chance.below(20) as i64,
                    is_virtual: chance.percent(20),
                    individual: chance.percent(20),
                };
                self.sessions.extend(phone.add_session(&session).map(|planned| planned.id));
            }
            1..=4 if !self.sessions.is_empty() => {
                let session = pick(&chance, &self.sessions).clone();
                let _ = phone.enrol_in(&session, case, chance.percent(10));
                let _ = phone.attend(&session, case, pick(&chance, &["present", "partly", "absent"]));
                let _ =
                    phone.feedback(&session, pick(&chance, &["yes", "no", "none"]), Some(pick(&chance, &LANGUAGES)));
            }
            5 => {
                let _ = phone.note(case, &words(&chance, 40));
            }
            6 => {
                let purpose = pick(&chance, &["share_with_origin_mission", "publish", "photo", "assist"]);
                let said = ConsentEvent {
                    purpose: purpose.to_owned(),
                    status: (pick(&chance, &["given", "given", "refused", "withdrawn"])).to_owned(),
                    form: (pick(&chance, &["oral", "written"])).to_owned(),
                    language: Some((pick(&chance, &LANGUAGES)).to_owned()),
                    ..ConsentEvent::default()
                };
                let _ = phone.consent(case, &said);
            }
            7 => {
                let _ = phone.propose_handover(case, pick(&chance, &["ML", "GN"]));
            }
            8 => {
                let _ = phone.accept_handover(case);
            }
            _ => {
                let settable = fields().items;
                let some = (0..=chance.below(3)).filter_map(|_| setting(chance.one_of(&settable), &chance));
                let _ = phone.edit(case, &some.collect::<Vec<_>>());
            }
        }
    }

    /// One sync, overheard.
    fn sync(&mut self, at: usize) {
        let mut courier = Courier::new(Config::default());
        courier.tell(Event::SyncRequested, self.point.truth.now_ms(), 1);
        let (phone, mut waiting) = (&mut self.phones[at], None);
        loop {
            let now_ms = self.point.truth.now_ms();
            match courier.step(phone.store_mut(), now_ms, 1) {
                Step::Inward | Step::Outward(Outward::SetTimer { .. }) => {}
                Step::Outward(Outward::Send { credentials, body, .. }) => {
                    self.overheard.push(codec::unpack(&body).expect("a body"));
                    let request = Request { credentials: *credentials, body };
                    let bytes = answer(&self.point.server, &request, now_ms, &self.point.chance);
                    let mut reader = FrameReader::default();
                    reader.feed(&bytes);
                    while let Some(frame) = reader.next_frame().expect("a frame") {
                        self.overheard.push(encode_frame(&frame).1);
                    }
                    waiting = Some(bytes);
                }
                Step::Outward(Outward::Finished(_) | Outward::Stopped(_)) => return,
                Step::Rest => match waiting.take() {
                    Some(bytes) => courier.received(&bytes),
                    None => courier.tell(Event::AnswerEnded, now_ms, 1),
                },
            }
        }
    }
}

/// A value that the field may hold.
fn setting(field: &FieldShown, chance: &Chance) -> Option<Setting> {
    let value = match field.value_type.trim_end_matches('+') {
        "code" | "flag" | "point" => pick(chance, &field.values).clone(),
        "int" => {
            let (least, most) = field.values.first()?.split_once("..")?;
            let (least, most): (usize, usize) = (least.parse().ok()?, most.parse().ok()?);
            (least + chance.below((most - least).min(60) + 1)).to_string()
        }
        "name" => format!("{} {}", word(chance, 2, true), word(chance, 3, true)),
        "line" => words(chance, 4),
        "prose" => words(chance, 14),
        "date" => format!("2026-{:02}-{:02}", 1 + chance.below(12), 1 + chance.below(28)),
        "phone" => format!("+2126{:08}", chance.below(100_000_000)),
        "language" => (pick(chance, &LANGUAGES)).to_owned(),
        "country" => (pick(chance, &COUNTRIES)).to_owned(),
        _ => return None,
    };
    Some(Setting::new(field.name, value))
}

fn word(chance: &Chance, syllables: usize, capital: bool) -> String {
    let mut text: String = (0..syllables).map(|_| pick(chance, &SYLLABLES)).collect();
    if capital && let Some(first) = text.get_mut(0..1) {
        first.make_ascii_uppercase();
    }
    text
}

fn words(chance: &Chance, most: usize) -> String {
    let count = 1 + chance.below(most);
    (0..count).map(|_| word(chance, 1 + chance.below(3), false)).collect::<Vec<_>>().join(" ")
}

fn pick<T: Clone>(chance: &Chance, choices: &[T]) -> T {
    chance.one_of(choices).clone()
}
