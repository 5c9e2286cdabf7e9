//! Golden bytes: the genesis of each kind, and one change that writes every field of it. A difference means that phones
//! in the field no longer read what this version writes: it is never accepted without a new generation.
//!
//! `FORAS_GOLDEN=write cargo test -p foras-record golden` writes the file of a kind that has none yet.

use std::path::PathBuf;

use foras_wire::id::Actor;

use super::samples;
use crate::document::{Document, genesis, genesis_actor, genesis_max_op};
use crate::kind::Kind;
use crate::registry;

const WORKER: Actor = Actor([7; 16]);
const TIME_S: i64 = 1_760_000_000;

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn golden(kind: Kind) -> String {
    let empty = Document::empty(kind);
    let mut document = empty.clone();
    let authored = document.edit(WORKER, TIME_S, &samples::all(kind)).unwrap().unwrap();
    assert_eq!(authored.seq, 1);
    let lines = [
        format!("genesis {} actor {} max_op {}", genesis(kind), genesis_actor(kind), genesis_max_op(kind)),
        format!("empty {}", hex(&empty.save())),
        format!("change {} max_op {}", authored.hash, authored.max_op),
        format!("chunk {}", hex(&authored.chunk)),
        format!("content {}", document.content().fingerprint()),
    ];
    lines.join("\n") + "\n"
}

#[test]
fn bytes_of_every_kind_are_golden() {
    for rule in registry::ALL {
        let file = format!("{}/tests/golden/{}.txt", env!("CARGO_MANIFEST_DIR"), rule.name);
        let file = PathBuf::from(file);
        if !file.exists() && std::env::var("FORAS_GOLDEN").as_deref() == Ok("write") {
            std::fs::write(&file, golden(rule.kind)).unwrap();
        }
        let kept = std::fs::read_to_string(&file).unwrap_or_else(|_| panic!("{} has no golden file", rule.name));
        assert_eq!(golden(rule.kind), kept, "{}", rule.name);
    }
}

#[test]
fn a_golden_change_is_still_read() {
    for rule in registry::ALL {
        let file = format!("{}/tests/golden/{}.txt", env!("CARGO_MANIFEST_DIR"), rule.name);
        let kept = std::fs::read_to_string(&file).unwrap();
        let chunk = kept.lines().find_map(|line| line.strip_prefix("chunk ")).unwrap();
        let bytes: Vec<u8> =
            (0..chunk.len()).step_by(2).map(|at| u8::from_str_radix(&chunk[at..at + 2], 16).unwrap()).collect();
        let document = Document::replay(rule.kind, [bytes.as_slice()]).unwrap();
        assert!(kept.contains(&format!("content {}", document.content().fingerprint())), "{}", rule.name);
        for field in rule.fields {
            assert!(document.field(field).is_written(), "{} {}", rule.name, field.name);
        }
    }
}
