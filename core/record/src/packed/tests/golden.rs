//! Golden bytes: lists as this build packs them. A difference means that a phone in the field and a newer server no longer
//! understand one another. `FORAS_BLESS=1 cargo test -p foras-record golden` rewrites the file, before a release only.

use std::fmt::Write as _;

use super::world::{Rows, log};
use crate::packed::{Item, pack, pack_plain, unpack};

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn unhex(text: &str) -> Vec<u8> {
    (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap()).collect()
}

fn lists() -> Vec<(&'static str, Vec<Item>, Rows)> {
    let items = log(42, 2, 40);
    let (before, after) = items.split_at(20);
    let mut named = after.to_vec();
    named[3].chunk = None;
    let rows = Rows::of(before.iter());
    let mut knows_all = Rows::of(before.iter());
    after.iter().for_each(|item| knows_all.keep(item));
    vec![("cold", items.clone(), Rows::default()), ("later", after.to_vec(), rows), ("named", named, knows_all)]
}

#[test]
fn packed_lists_keep_their_bytes() {
    let mut text = String::new();
    for (name, items, rows) in lists() {
        writeln!(text, "{name} {}", hex(&pack(&items, &rows))).unwrap();
    }
    writeln!(text, "plain {}", hex(&pack_plain(&log(42, 1, 3)))).unwrap();
    let path = format!("{}/tests/golden/packed.txt", env!("CARGO_MANIFEST_DIR"));
    if std::env::var_os("FORAS_BLESS").is_some() {
        std::fs::write(&path, &text).unwrap();
    }
    assert_eq!(std::fs::read_to_string(&path).unwrap(), text, "the bytes of a packed list changed");
}

#[test]
fn golden_lists_are_still_read() {
    let path = format!("{}/tests/golden/packed.txt", env!("CARGO_MANIFEST_DIR"));
    let kept = std::fs::read_to_string(path).unwrap();
    for (name, items, rows) in lists() {
        let bytes = kept.lines().find_map(|line| line.strip_prefix(&format!("{name} "))).unwrap();
        assert_eq!(unpack(&unhex(bytes), &rows), Ok(items), "{name}");
    }
}
