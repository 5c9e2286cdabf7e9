//! A short honest story, whose bytes are the seeds.

use std::cell::RefCell;
use std::sync::OnceLock;

use foras::exchange::{Courier, Outward, Step};
use foras::phone::{Phone, Setting};
use foras_record::role::Role;
use foras_sync::Event;
use foras_sync::engine::Config;

use crate::point::{Point, registration};
use crate::world::network::{Request, answer};

/// What travelled in the story.
#[derive(Debug, Default)]
pub(super) struct Travelled {
    pub(super) invitation: String,
    pub(super) enrolments: Vec<Vec<u8>>,
    pub(super) requests: Vec<Vec<u8>>,
    pub(super) answers: Vec<Vec<u8>>,
}

/// The story, told once for each process.
pub(super) fn travelled() -> &'static Travelled {
    static TOLD: OnceLock<Travelled> = OnceLock::new();
    TOLD.get_or_init(tell)
}

fn tell() -> Travelled {
    let point = Point::in_memory(3);
    let told = RefCell::new(Travelled::default());
    let enrolled = |role: Role| {
        let invitation = point.invite(role, &["oujda"]);
        let mut phone = point.phone_in_memory();
        let (request, answer) = point.enrol_with_bytes(&mut phone, &invitation).expect("an enrolled phone");
        told.borrow_mut().invitation = invitation.to_string();
        told.borrow_mut().enrolments.extend([request, answer]);
        phone
    };
    let (mut worker, mut counsellor) = (enrolled(Role::Outreach), enrolled(Role::HostCounsellor));
    let case = worker.register(&registration("Mariama Essai")).expect("a registration").id;
    worker.edit(&case, &[Setting::new("needs", "tools of a tailor")]).expect("an edit");
    for phone in [&mut worker, &mut counsellor] {
        sync(&point, phone, &mut told.borrow_mut());
    }
    counsellor.note(&case, "Wants to open a workshop with her sister.").expect("a note");
    counsellor.edit(&case, &[Setting::new("contact_language", "ff")]).expect("an edit");
    worker.edit(&case, &[Setting::new("contact_language", "fr")]).expect("an edit");
    for _ in 0..2 {
        sync(&point, &mut counsellor, &mut told.borrow_mut());
        sync(&point, &mut worker, &mut told.borrow_mut());
    }
    told.into_inner()
}

fn sync(point: &Point, phone: &mut Phone, told: &mut Travelled) {
    let mut courier = Courier::new(Config::default());
    let now_ms = point.truth.now_ms();
    courier.tell(Event::SyncRequested, now_ms, 1);
    let mut ended = false;
    loop {
        match courier.step(phone.store_mut(), now_ms, 1) {
            Step::Outward(Outward::Send { credentials, body, .. }) => {
                told.requests.push(body.clone());
                let request = Request { credentials: *credentials, body };
                let bytes = answer(&point.server, &request, now_ms, &point.chance);
                courier.received(&bytes);
                told.answers.push(bytes);
                ended = false;
            }
            Step::Outward(Outward::Finished(_)) => return,
            Step::Outward(Outward::Stopped(stopped)) => panic!("the story's sync stopped: {}", stopped.error),
            Step::Rest if !ended => {
                ended = true;
                courier.tell(Event::AnswerEnded, now_ms, 1);
            }
            Step::Rest => panic!("the story's sync never ends"),
            _ => {}
        }
    }
}
