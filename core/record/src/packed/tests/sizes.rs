//! How many bytes an edit takes, with what stands around it left out.

use super::world::{Dice, Rows, put, records_of_return};
use crate::document::Document;
use crate::kind::Kind;
use crate::packed::{Item, pack, unpack};
use foras_wire::id::Actor;

/// 10,000 people of a programme, with names as varied as a register's.
fn people(dice: &mut Dice, count: usize) -> Vec<(Item, Document)> {
    let first = ["Awa", "Mamadou", "Fatoumata", "Ibrahima", "Grace", "Moussa", "Aminata", "Jean"];
    let last = ["Exemple", "Modèle", "Essai", "Sample", "Ndiaye-Test", "Camara-Test"];
    let mut made = Vec::new();
    for at in 0..count {
        let records = records_of_return(dice);
        let (kind, record) = records[1];
        let mut document = Document::empty(kind);
        let name = format!("{} {} {at}", first[dice.below(first.len())], last[dice.below(last.len())]);
        let edits = [
            put(kind, "name", &name),
            put(kind, "channel", "sms"),
            put(kind, "contact_language", "fr"),
            put(kind, "literacy", "some"),
        ];
        let worker = Actor([dice.below(6) as u8 + 1; 16]);
        let authored = document.edit(worker, 1_790_000_000 + at as i64 * 61, &edits).unwrap().unwrap();
        made.push((Item { received_ms: 1_790_000_000_000, ..Item::new(record, authored.chunk) }, document));
    }
    made
}

#[test]
fn three_hundred_edits_among_ten_thousand_people_take_few_bytes_each() {
    let mut dice = Dice::new(11);
    let mut people = people(&mut dice, 10_000);
    let rows = Rows::of(people.iter().map(|(item, _)| item));
    let mut items = Vec::new();
    let mut patches = String::new();
    let colleague = Actor([200; 16]);
    let mut now_s = 1_791_000_000;
    for _ in 0..300 {
        let at = dice.below(people.len());
        let (item, document) = &mut people[at];
        let kind = Kind::Person;
        now_s += 20 + dice.below(200) as i64;
        let (field, value) = match dice.below(4) {
            0 => ("channel", ["call", "whatsapp"][dice.below(2)].to_owned()),
            1 => ("contact_language", ["ar", "bm", "ff"][dice.below(3)].to_owned()),
            2 => ("literacy", ["none", "full"][dice.below(2)].to_owned()),
            _ => ("ref", format!("OUJ-{:05}", dice.below(100_000))),
        };
        let Some(authored) = document.edit(colleague, now_s, &[put(kind, field, &value)]).unwrap() else { continue };
        patches.push_str(&format!("{{\"case\":{at},\"{field}\":\"{value}\"}}\n"));
        items.push(Item { received_ms: 1_791_900_000_000, ..Item::new(item.record, authored.chunk) });
    }
    let bytes = pack(&items, &rows);
    assert_eq!(unpack(&bytes, &rows).as_ref(), Ok(&items));
    let compressed = zstd::bulk::compress(&bytes, 19).unwrap().len();
    let limit = zstd::bulk::compress(patches.as_bytes(), 19).unwrap().len();
    let raw: usize = items.iter().filter_map(|item| item.chunk.as_ref()).map(Vec::len).sum();
    let each = |bytes: usize| bytes as f64 / items.len() as f64;
    println!(
        "{} edits: raw {:.1}, packed {:.1}, packed and compressed {:.1}, JSON patches compressed {:.1} bytes each",
        items.len(),
        each(raw),
        each(bytes.len()),
        each(compressed),
        each(limit)
    );
    assert!(each(compressed) <= 12.0, "{:.1} bytes an edit", each(compressed));
}
