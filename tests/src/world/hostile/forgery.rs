//! The catalogue of forgeries. Each gives whether the server took anything of it; `None` where there was nothing yet to
//! forge upon.

use std::collections::BTreeSet;

use foras_record::change::forge::{Forged, framed, resealed};
use foras_record::change::{
    Actor, ChangeHash, OpId, ParsedAction, ParsedChange, ParsedKey, ParsedObject, ParsedOp, ParsedScalar,
};
use foras_record::kind::Kind;
use foras_wire::id::{Incarnation, RecordId};
use foras_wire::limits;
use foras_wire::record::{KindCode, RecordRef};
use foras_wire::sync::Credentials;

use super::super::World;
use super::{FORGED, HostilePhone, OWN_FIELD, Target, drawn};

type Forgery = fn(&HostilePhone, &mut World) -> Option<bool>;

/// Every forgery, with the name under which it is counted.
pub(super) const ALL: &[(&str, Forgery)] = &[
    ("hostile_foreign_actor", foreign_actor),
    ("hostile_start_op", start_op),
    ("hostile_seq_gap", seq_gap),
    ("hostile_seq_reused", seq_reused),
    ("hostile_missing_deps", missing_deps),
    ("hostile_unknown_kind", unknown_kind),
    ("hostile_other_kind", other_kind),
    ("hostile_unknown_field", unknown_field),
    ("hostile_ruling", ruling),
    ("hostile_other_place", other_place),
    ("hostile_oversize", oversize),
    ("hostile_too_many_ops", too_many_ops),
    ("hostile_not_a_change", not_a_change),
    ("hostile_bits_flipped", bits_flipped),
    ("hostile_own_bits_flipped", own_bits_flipped),
    ("hostile_false_signature", false_signature),
    ("hostile_unknown_grant", unknown_grant),
    ("hostile_replayed_push", replayed_push),
    ("hostile_stolen_name", stolen_name),
    ("hostile_garbage_body", garbage_body),
    ("hostile_delete", delete),
    ("hostile_text_in_a_field", text_in_a_field),
    ("hostile_time", time),
];

/// What a forgery stands on: a project of its point, and a new incarnation.
struct Ground {
    target: Target,
    incarnation: Incarnation,
    actor: Actor,
    deps: Vec<ChangeHash>,
    next_op: u64,
}

fn ground(phone: &HostilePhone, world: &World) -> Option<Ground> {
    let target = HostilePhone::target(world, "casework:oujda")?;
    let named: BTreeSet<_> = target.changes.iter().flat_map(|change| change.deps.iter().copied()).collect();
    let heads = target.changes.iter().map(|change| change.hash).filter(|hash| !named.contains(hash));
    let deps = heads.collect::<BTreeSet<_>>().into_iter().collect();
    let next_op = target.changes.iter().map(ParsedChange::max_op).max().unwrap_or(0) + 1;
    let incarnation = Incarnation(drawn(&world.chance));
    Some(Ground { target, incarnation, actor: phone.actor(&incarnation), deps, next_op })
}

impl Ground {
    /// A put of `value` into `key`, over nothing.
    fn put(&self, key: &str, value: &str) -> Forged {
        self.op(ParsedKey::Field(key.to_owned()), ParsedAction::Put(ParsedScalar::Str(value.to_owned())))
    }

    fn op(&self, key: ParsedKey, action: ParsedAction) -> Forged {
        let id = OpId { counter: self.next_op, actor: self.actor };
        let op = ParsedOp { id, object: ParsedObject::Root, key, insert: false, action, preds: Vec::new() };
        let mut forged = Forged::new(self.actor, 1, self.next_op);
        forged.deps.clone_from(&self.deps);
        forged.with_ops(&[op])
    }

    fn strike(self, phone: &HostilePhone, world: &World, forged: &Forged) -> bool {
        self.strike_with(phone, world, vec![forged.chunk()])
    }

    fn strike_with(self, phone: &HostilePhone, world: &World, chunks: Vec<Vec<u8>>) -> bool {
        self.strike_at(phone, world, self.target.record, chunks)
    }

    fn strike_at(&self, phone: &HostilePhone, world: &World, record: RecordRef, chunks: Vec<Vec<u8>>) -> bool {
        phone.strike(world, phone.blow(self.incarnation, record, chunks))
    }
}

fn forged(world: &World) -> String {
    format!("{FORGED}{}", world.chance.below(100_000))
}

/// As [`ground`], and `forge` over it.
fn over(phone: &HostilePhone, world: &World, forge: impl FnOnce(Ground) -> bool) -> Option<bool> {
    ground(phone, world).map(forge)
}

fn foreign_actor(phone: &HostilePhone, world: &mut World) -> Option<bool> {
    over(phone, world, |ground| {
        let Some(victim) = ground.target.changes.last().map(|change| change.actor) else { return false };
        let of_victim = ground.target.changes.iter().filter(|change| change.actor == victim);
        let seq = of_victim.map(|change| change.seq).max().unwrap_or(0) + 1;
        let mut forged = ground.put("needs", &forged(world));
        (forged.actor, forged.seq) = (victim.0.to_vec(), seq);
        ground.strike(phone, world, &forged)
    })
}

fn start_op(phone: &HostilePhone, world: &mut World) -> Option<bool> {
    over(phone, world, |ground| {
        let mut forged = ground.put("needs", &forged(world));
        let far = [ground.next_op + 1, ground.next_op + 1_000_000, limits::OP_COUNTER_MAX, u64::MAX >> 1];
        forged.start_op = *world.chance.one_of(&far);
        ground.strike(phone, world, &forged)
    })
}

fn seq_gap(phone: &HostilePhone, world: &mut World) -> Option<bool> {
    over(phone, world, |ground| {
        let mut forged = ground.put("needs", &forged(world));
        forged.seq = *world.chance.one_of(&[0, 2, 7, u64::MAX >> 1]);
        ground.strike(phone, world, &forged)
    })
}

/// The first of two changes under one number is honest, and taken; the second must not be.
fn seq_reused(phone: &HostilePhone, world: &mut World) -> Option<bool> {
    over(phone, world, |ground| {
        let first = ground.put(OWN_FIELD, "a first version").chunk();
        let second = ground.put(OWN_FIELD, &forged(world)).chunk();
        let taken = ground.strike_at(phone, world, ground.target.record, vec![first]);
        // Where a failing disk kept the first out, the second is the first.
        taken && ground.strike_with(phone, world, vec![second])
    })
}

fn missing_deps(phone: &HostilePhone, world: &mut World) -> Option<bool> {
    over(phone, world, |ground| {
        let mut chunks = Vec::new();
        for _ in 0..100 {
            let mut forged = ground.put("needs", &forged(world));
            forged.deps = vec![ChangeHash(drawn(&world.chance))];
            chunks.push(forged.chunk());
        }
        ground.strike_with(phone, world, chunks)
    })
}

fn unknown_kind(phone: &HostilePhone, world: &mut World) -> Option<bool> {
    over(phone, world, |ground| {
        let mut record = ground.target.record;
        record.key.kind = KindCode(60_000);
        let chunk = ground.put("needs", &forged(world)).chunk();
        ground.strike_at(phone, world, record, vec![chunk])
    })
}

/// The project's id under another kind, or under another case.
fn other_kind(phone: &HostilePhone, world: &mut World) -> Option<bool> {
    over(phone, world, |ground| {
        let mut record = ground.target.record;
        if world.chance.percent(50) {
            record.key.kind = Kind::Path.code();
        } else {
            record.case = Some(RecordId(drawn(&world.chance)));
        }
        let chunk = ground.put("needs", &forged(world)).chunk();
        ground.strike_at(phone, world, record, vec![chunk])
    })
}

fn unknown_field(phone: &HostilePhone, world: &mut World) -> Option<bool> {
    over(phone, world, |ground| {
        let long = "k".repeat(limits::FIELD_KEY_BYTES_MAX + 1);
        let key = *world.chance.one_of(&["colour", "needs/3", "", long.as_str()]);
        let forged = ground.put(key, &forged(world));
        ground.strike(phone, world, &forged)
    })
}

/// A ruling is the server's alone.
fn ruling(phone: &HostilePhone, world: &mut World) -> Option<bool> {
    over(phone, world, |ground| {
        let Some(case) = ground.target.record.case else { return false };
        let record = foras_record::identity::record(Kind::Case, case, Some(case));
        let event = RecordId(drawn(&world.chance));
        let mut forged = ground.put(&format!("ruling/{event}"), "1 valid");
        (forged.deps, forged.start_op) = (Vec::new(), 1);
        ground.strike_at(phone, world, record, vec![forged.chunk()])
    })
}

/// A project of another point.
fn other_place(phone: &HostilePhone, world: &mut World) -> Option<bool> {
    let target = HostilePhone::target(world, "casework:casablanca")?;
    over(phone, world, |ground| {
        let mut forged = ground.put("needs", &forged(world));
        forged.deps = target.changes.last().map(|change| change.hash).into_iter().collect();
        forged.start_op = target.changes.iter().map(ParsedChange::max_op).max().unwrap_or(0) + 1;
        ground.strike_at(phone, world, target.record, vec![forged.chunk()])
    })
}

fn oversize(phone: &HostilePhone, world: &mut World) -> Option<bool> {
    over(phone, world, |ground| {
        let long = forged(world).repeat(limits::CHANGE_BYTES_MAX / 8);
        let length = *world.chance.one_of(&[9_000, limits::CHANGE_BYTES_MAX, limits::CHANGE_BYTES_MAX + 1]);
        let forged = ground.put("needs", long.get(..length).unwrap_or(&long));
        ground.strike(phone, world, &forged)
    })
}

/// Operations by run lengths: a few bytes that claim many.
fn too_many_ops(phone: &HostilePhone, world: &mut World) -> Option<bool> {
    over(phone, world, |ground| {
        let mut forged = ground.put("needs", &forged(world));
        let claimed = *world.chance.one_of(&[2_001, 1 << 20, 1 << 40]);
        for (_, bytes) in &mut forged.columns {
            let mut run = Vec::new();
            foras_record::change::forge::signed(&mut run, claimed);
            run.extend(bytes.iter().skip(1));
            *bytes = run;
        }
        ground.strike(phone, world, &forged)
    })
}

/// Whole documents and compressed changes are not taken.
fn not_a_change(phone: &HostilePhone, world: &mut World) -> Option<bool> {
    over(phone, world, |ground| {
        let body = ground.put("needs", &forged(world)).body();
        let chunk = framed(*world.chance.one_of(&[0, 2, 3, 255]), &body);
        ground.strike_with(phone, world, vec![chunk])
    })
}

/// An honest change of somebody else's with some bits flipped, with a checksum that fits or not.
fn bits_flipped(phone: &HostilePhone, world: &mut World) -> Option<bool> {
    over(phone, world, |ground| {
        let chunks: Vec<_> = ground.target.changes.iter().map(|change| change.bytes().to_vec()).collect();
        let chunk = flipped(world, world.chance.one_of::<Vec<u8>>(&chunks));
        ground.strike_with(phone, world, vec![chunk])
    })
}

/// An own honest change with bits flipped: where it is still one that the phone may write, it is taken.
fn own_bits_flipped(phone: &HostilePhone, world: &mut World) -> Option<bool> {
    over(phone, world, |ground| {
        let chunk = flipped(world, &ground.put(OWN_FIELD, "a version").chunk());
        ground.strike_with(phone, world, vec![chunk]);
        false
    })
}

/// The same bytes but for some bits. Flips of the checksum alone, mended, or of one bit twice are no forgery.
fn flipped(world: &World, chunk: &[u8]) -> Vec<u8> {
    loop {
        let mut bytes = chunk.to_vec();
        for _ in 0..=world.chance.below(4) {
            let at = world.chance.below(bytes.len());
            bytes[at] ^= 1 << world.chance.below(8);
        }
        let bytes = if world.chance.percent(70) { resealed(&bytes) } else { bytes };
        if bytes != chunk {
            return bytes;
        }
    }
}

fn false_signature(phone: &HostilePhone, world: &mut World) -> Option<bool> {
    over(phone, world, |ground| {
        let chunk = ground.put("needs", &forged(world)).chunk();
        let mut blow = phone.blow(ground.incarnation, ground.target.record, vec![chunk]);
        blow.false_signature = true;
        phone.strike(world, blow)
    })
}

fn unknown_grant(phone: &HostilePhone, world: &mut World) -> Option<bool> {
    over(phone, world, |ground| {
        let chunk = ground.put("needs", &forged(world)).chunk();
        let mut blow = phone.blow(ground.incarnation, ground.target.record, vec![chunk]);
        blow.grant_revision = *world.chance.one_of(&[0, 99, u64::MAX >> 1]);
        phone.strike(world, blow)
    })
}

/// What an honest phone pushed, word for word, as one's own.
fn replayed_push(phone: &HostilePhone, world: &mut World) -> Option<bool> {
    let body = world.overheard()?;
    let had_pushes = foras_wire::frame::decode_request(&body).is_ok_and(|request| !request.pushes.is_empty());
    let items = foras_wire::frame::decode_request(&body)
        .map_or(0, |request| request.pushes.iter().map(|push| push.count as usize).sum());
    let refused = phone.send_bytes(world, &phone.credentials(), &body);
    had_pushes.then(|| refused.is_some_and(|refused| refused < items))
}

/// Somebody else's device with one's own token.
fn stolen_name(phone: &HostilePhone, world: &mut World) -> Option<bool> {
    let body = world.overheard()?;
    let number = world.devices().next()?;
    let device = world.phone(number).store().identity().expect("an enrolled phone").grant().device;
    let credentials = Credentials { device, ..phone.credentials() };
    Some(phone.send_bytes(world, &credentials, &body).is_some())
}

fn garbage_body(phone: &HostilePhone, world: &mut World) -> Option<bool> {
    let mut body = world.overheard().unwrap_or_default();
    match world.chance.below(3) {
        0 => body.truncate(world.chance.below(body.len() + 1)),
        1 if !body.is_empty() => body = flipped(world, &body),
        _ => body = drawn::<200>(&world.chance).to_vec(),
    }
    phone.send_bytes(world, &phone.credentials(), &body);
    // Some garbage is a request without pushes; the law that nothing forged is admitted sees the rest.
    Some(false)
}

/// Deletes what others wrote: people clear fields by writing null.
fn delete(phone: &HostilePhone, world: &mut World) -> Option<bool> {
    over(phone, world, |ground| {
        let written = ground.target.changes.iter().rev().flat_map(|change| change.ops.iter().rev());
        let put = written.clone().find(|op| matches!(op.action, ParsedAction::Put(_)));
        let Some(put) = put.cloned() else { return false };
        let id = OpId { counter: ground.next_op, actor: ground.actor };
        let op = ParsedOp { id, action: ParsedAction::Delete, preds: vec![put.id], ..put };
        let mut forged = Forged::new(ground.actor, 1, ground.next_op);
        forged.deps.clone_from(&ground.deps);
        let forged = forged.with_ops(&[op]);
        ground.strike(phone, world, &forged)
    })
}

/// A text, a map or a list where a value belongs.
fn text_in_a_field(phone: &HostilePhone, world: &mut World) -> Option<bool> {
    over(phone, world, |ground| {
        let actions = [
            ParsedAction::MakeText,
            ParsedAction::MakeOther(0),
            ParsedAction::MakeOther(2),
            ParsedAction::Increment(3),
            ParsedAction::Put(ParsedScalar::Counter(3)),
            ParsedAction::Put(ParsedScalar::F64(f64::NAN)),
        ];
        let action = world.chance.one_of(&actions).clone();
        let forged = ground.op(ParsedKey::Field("needs".to_owned()), action);
        ground.strike(phone, world, &forged)
    })
}

fn time(phone: &HostilePhone, world: &mut World) -> Option<bool> {
    over(phone, world, |ground| {
        let mut forged = ground.put("needs", &forged(world));
        forged.time_s = *world.chance.one_of(&[i64::MAX, i64::MIN, limits::CHANGE_TIME_S_MAX + 1]);
        ground.strike(phone, world, &forged)
    })
}
