//! Edits of the benchmarks: what a day's work changes. Most set a code, a number or a language, some a sentence.

use foras_tests::world::chance::Chance;

use super::people;

/// One field of one case, and its new value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct FieldEdit {
    pub(crate) field: &'static str,
    pub(crate) value: String,
}

/// What one action of a person changes.
pub(crate) fn edit(chance: &Chance) -> FieldEdit {
    let (field, value) = match chance.below(20) {
        0..=3 => ("contact_language", (*chance.one_of(&["fr", "bm", "wo", "ff", "ln", "en", "dyu"])).to_owned()),
        4..=6 => ("channel", (*chance.one_of(&["call", "sms", "whatsapp"])).to_owned()),
        7..=9 => ("phone", people::phone(chance)),
        10..=11 => ("household", (1 + chance.below(9)).to_string()),
        12..=13 => ("literacy", (*chance.one_of(&["none", "some", "full"])).to_owned()),
        14 => ("arrival_year", (2012 + chance.below(13)).to_string()),
        15 => ("birth_year", (1966 + chance.below(42)).to_string()),
        16..=17 => ("needs", people::prose_of("needs", chance)),
        18 => ("skills", people::prose_of("skills", chance)),
        _ => ("project_idea", people::prose_of("project_idea", chance)),
    };
    FieldEdit { field, value }
}

/// As JSON, of the field's type.
pub(crate) fn value(edit: &FieldEdit) -> serde_json::Value {
    match edit.field {
        "household" | "arrival_year" | "birth_year" => {
            edit.value.parse::<i64>().map_or_else(|_| edit.value.as_str().into(), Into::into)
        }
        _ => edit.value.as_str().into(),
    }
}
