#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use super::*;
use crate::kind::Kind;
use crate::registry;
use proptest::prelude::*;

const LINE: ValueType = ValueType::Line { max: 10 };
const PROSE: ValueType = ValueType::Prose { max: 20 };
const YEAR: ValueType = ValueType::Int { min: 1900, max: 2100 };
const SEX: ValueType = ValueType::Code(&["f", "m", "x", "unknown"]);

#[test]
fn what_people_type_becomes_its_normal_form() {
    let table: [(ValueType, &str, Value); 37] = [
        (ValueType::Name, "  Awa   Traore\u{301} ", "Awa Traoré".into()),
        (ValueType::Name, "فاطمة", "فاطمة".into()),
        (ValueType::Name, "ߊߥߊ", "ߊߥߊ".into()),
        (ValueType::Name, "N'Dèye d’Almeida-Sy", "N'Dèye d’Almeida-Sy".into()),
        (LINE, " dix lettre ", "dix lettre".into()),
        (PROSE, "un\r\ndeux\n\n", "un\ndeux".into()),
        (SEX, " f ", "f".into()),
        (YEAR, "1996", 1996.into()),
        (YEAR, "01996", 1996.into()),
        (ValueType::Int { min: -5, max: 5 }, "-3", (-3).into()),
        (ValueType::Date, "2024-02-29", "2024-02-29".into()),
        (ValueType::Instant, "2026-10-05T09:00:00+01:00", "2026-10-05T09:00:00+01:00".into()),
        (ValueType::Instant, "2026-10-05t09:00z", "2026-10-05T09:00:00Z".into()),
        (ValueType::Instant, "2026-10-05 09:00:30.25-05:30", "2026-10-05T09:00:30-05:30".into()),
        (ValueType::Phone, "+212 612-345678", "+212612345678".into()),
        (ValueType::Phone, "0612345678", "+212612345678".into()),
        (ValueType::Phone, "00223 70 12 34 56", "+22370123456".into()),
        (ValueType::Phone, "+224 620 00 00 01", "+224620000001".into()),
        (ValueType::Phone, "+2250701020304", "+2250701020304".into()),
        (ValueType::Phone, "00225 07 01 02 03 04", "+2250701020304".into()),
        (ValueType::Phone, "+39 06 1234 5678", "+390612345678".into()),
        (ValueType::Phone, "(+33) (0)6.12.34.56.78", "+33612345678".into()),
        (ValueType::Phone, "+237 6 71 23 45 67", "+237671234567".into()),
        (ValueType::Phone, "+243 812 345 678", "+243812345678".into()),
        (ValueType::Phone, "+221771234567", "+221771234567".into()),
        (ValueType::Phone, "+22670123456", "+22670123456".into()),
        (ValueType::Phone, "+22890123456", "+22890123456".into()),
        (ValueType::Phone, "+33612345678", "+33612345678".into()),
        (ValueType::Language, "FR", "fr".into()),
        (ValueType::Language, "fra", "fr".into()),
        (ValueType::Language, "snk", "snk".into()),
        (ValueType::Country, "gn", "GN".into()),
        (ValueType::Country, "CI", "CI".into()),
        (ValueType::Point, "Oujda", "oujda".into()),
        (ValueType::Id, "00112233445566778899AABBCCDDEEFF", "00112233445566778899aabbccddeeff".into()),
        (ValueType::Flag, "true", true.into()),
        (ValueType::Flag, "false", false.into()),
    ];
    for (kind, typed, expected) in table {
        let value = check(&kind, typed).unwrap_or_else(|error| panic!("{kind:?} {typed:?}: {error}"));
        assert_eq!(value, expected, "{kind:?} {typed:?}");
        check_stored(&kind, &value).unwrap_or_else(|error| panic!("{kind:?} {typed:?}: {error}"));
        if let Value::Text(text) = &value {
            assert_eq!(check(&kind, text).unwrap(), value, "a normal form stays as it is");
        }
    }
}

/// What people may type, and why it is no value of its type.
const BAD: [(ValueType, &str, &str); 61] = [
    (ValueType::Name, "", "empty"),
    (ValueType::Name, " \u{a0} ", "empty"),
    (ValueType::Name, "--", "not_a_name"),
    (ValueType::Name, "Awa\u{0}", "control_character"),
    (ValueType::Name, "Awa\u{1b}[31m", "control_character"),
    (ValueType::Name, "Awa\nTraoré", "control_character"),
    (ValueType::Name, "Awa\u{85}", "control_character"),
    (ValueType::Name, "Awa\u{200e}", "invisible_mark"),
    (ValueType::Name, "Awa\u{200f}", "invisible_mark"),
    (ValueType::Name, "\u{202e}awA", "invisible_mark"),
    (ValueType::Name, "\u{202a}Awa\u{202c}", "invisible_mark"),
    (ValueType::Name, "A\u{2066}wa\u{2069}", "invisible_mark"),
    (ValueType::Name, "\u{feff}Awa", "invisible_mark"),
    (ValueType::Name, "Awa\u{2028}", "invisible_mark"),
    (ValueType::Name, "\u{61c}Awa", "invisible_mark"),
    (LINE, "onze lettre", "too_long"),
    (LINE, "a\tb", "control_character"),
    (PROSE, "a\u{0}b", "control_character"),
    (PROSE, "a\rb", "control_character"),
    (PROSE, "plus de vingt lettres", "too_long"),
    (SEX, "female", "not_a_code"),
    (SEX, "F", "not_a_code"),
    (SEX, "", "empty"),
    (YEAR, "1899", "out_of_range"),
    (YEAR, "2101", "out_of_range"),
    (YEAR, "99999999999999999999", "out_of_range"),
    (YEAR, "1996.5", "not_a_number"),
    (YEAR, "+1996", "not_a_number"),
    (YEAR, "1e3", "not_a_number"),
    (YEAR, "-", "not_a_number"),
    (YEAR, "١٩٩٦", "not_a_number"),
    (ValueType::Date, "2023-02-29", "no_such_date"),
    (ValueType::Date, "2026-13-01", "no_such_date"),
    (ValueType::Date, "2026-1-1", "no_such_date"),
    (ValueType::Date, "20260101", "no_such_date"),
    (ValueType::Date, "01/02/2026", "no_such_date"),
    (ValueType::Date, "0000-01-01", "no_such_date"),
    (ValueType::Date, "2026-01-01T00:00:00Z", "no_such_date"),
    (ValueType::Instant, "2026-10-05T09:00:00", "not_an_instant"),
    (ValueType::Instant, "2026-02-30T09:00:00Z", "no_such_date"),
    (ValueType::Instant, "2026-10-05T24:00:00Z", "not_an_instant"),
    (ValueType::Instant, "2026-10-05T09:00:60Z", "not_an_instant"),
    (ValueType::Instant, "2026-10-05T09:00:00+19:00", "not_an_instant"),
    (ValueType::Instant, "2026-10-05T09:00.5Z", "not_an_instant"),
    (ValueType::Instant, "2026-10-05T09:00:00+01:00[Africa/Casablanca]", "not_an_instant"),
    (ValueType::Phone, "+999123456789", "no_such_phone"),
    (ValueType::Phone, "+212", "no_such_phone"),
    (ValueType::Phone, "+21261234567", "no_such_phone"),
    (ValueType::Phone, "+2126123456789", "no_such_phone"),
    (ValueType::Phone, "call me", "no_such_phone"),
    (ValueType::Phone, "06 12 34 56 78 ext 5", "no_such_phone"),
    (ValueType::Phone, "++212612345678", "no_such_phone"),
    (ValueType::Phone, "(", "no_such_phone"),
    (ValueType::Language, "zz", "no_such_language"),
    (ValueType::Language, "french", "no_such_language"),
    (ValueType::Country, "ZZ", "no_such_country"),
    (ValueType::Country, "GIN", "no_such_country"),
    (ValueType::Point, "tanger", "no_such_point"),
    (ValueType::Id, "00112233445566778899aabbccddeef", "not_an_id"),
    (ValueType::Flag, "yes", "not_a_flag"),
    (ValueType::Event, "{}", "not_by_hand"),
];

#[test]
fn bad_input_is_refused_with_its_reason() {
    for (kind, typed, code) in BAD {
        match check(&kind, typed) {
            Err(error) => {
                assert_eq!(error.code(), code, "{kind:?} {typed:?}");
                assert!(!error.what_to_do().is_empty());
            }
            Ok(value) => panic!("{kind:?} {typed:?} became {value:?}"),
        }
    }
}

#[test]
fn what_travels_is_judged_by_form_and_length() {
    let long = "a".repeat(121);
    let refused: [(ValueType, Value, &str); 18] = [
        (ValueType::Name, Value::Null, "wrong_type"),
        (ValueType::Name, 3.into(), "wrong_type"),
        (ValueType::Name, "".into(), "empty"),
        (ValueType::Name, long.as_str().into(), "too_long"),
        (ValueType::Name, "a\u{0}".into(), "control_character"),
        (ValueType::Name, "a\u{202e}".into(), "invisible_mark"),
        (PROSE, "a\rb".into(), "control_character"),
        (YEAR, 3000.into(), "out_of_range"),
        (YEAR, "1996".into(), "wrong_type"),
        (SEX, "f;drop".into(), "not_a_code"),
        (ValueType::Date, "2023-02-29".into(), "no_such_date"),
        (ValueType::Instant, "2026-10-05T09:00Z".into(), "not_an_instant"),
        (ValueType::Phone, "0612345678".into(), "no_such_phone"),
        (ValueType::Language, "FR".into(), "no_such_language"),
        (ValueType::Country, "gn".into(), "no_such_country"),
        (ValueType::Id, "x".into(), "not_an_id"),
        (ValueType::Event, "{\"a\":1".into(), "wrong_type"),
        (ValueType::Flag, "true".into(), "wrong_type"),
    ];
    for (kind, value, code) in refused {
        assert_eq!(check_stored(&kind, &value).map_err(ValueError::code), Err(code), "{kind:?} {value:?}");
    }
    // Another version's tables may know more: its codes, countries and numbering plans are kept.
    for (kind, value) in [
        (SEX, "other"),
        (ValueType::Country, "XK"),
        (ValueType::Language, "xyz"),
        (ValueType::Phone, "+999123456789"),
        (ValueType::Event, "{\"new\":{\"deep\":[1,2]}}"),
    ] {
        assert_eq!(check_stored(&kind, &value.into()), Ok(()), "{kind:?} {value:?}");
    }
    let deep = format!("{{\"a\":{}1{}}}", "[".repeat(500), "]".repeat(500));
    assert_eq!(check_stored(&ValueType::Event, &deep.into()), Err(ValueError::WrongType));
}

#[test]
fn keys_resolve_to_their_field_and_item() {
    let id = "00112233445566778899aabbccddeeff";
    let path = Kind::Path.rule();
    let (field, item) = path.resolve(&format!("attendance/{id}")).map(|(f, i)| (f.name, i.map(str::to_owned))).unwrap();
    assert_eq!((field, item.as_deref()), ("attendance", Some(id)));
    for key in ["attendance", "attendance/", "attendance/x", "unknown", "", "/", &format!("attendance/{id}/1")] {
        assert!(path.resolve(key).is_none(), "{key}");
    }
    let person = Kind::Person.rule();
    assert!(person.resolve("phone/+212612345678").is_some());
    assert!(person.resolve("name_variants/A/B").is_some(), "a name may hold a slash");
    for key in ["phone", "phone/0612345678", "name/x", "name/"] {
        assert!(person.resolve(key).is_none(), "{key}");
    }
    assert!(Kind::CountryNote.rule().resolve("text/snk").is_some());
    assert!(Kind::Note.rule().resolve("text").is_some());
}

#[test]
fn the_registry_is_sound() {
    let mut names = std::collections::BTreeSet::new();
    for (rule, code) in registry::ALL.iter().zip(1..) {
        assert_eq!(rule.kind.code().0, code, "{}", rule.name);
        assert_eq!(Kind::of_code(rule.kind.code()), Some(rule.kind));
        assert_eq!(registry::named(rule.name), Some(rule.kind));
        assert!(names.insert(rule.name), "{}", rule.name);
        assert!(!rule.creators.is_empty(), "{}", rule.name);
        let mut fields = std::collections::BTreeSet::new();
        for field in rule.fields {
            assert!(fields.insert(field.name), "{} {}", rule.name, field.name);
            assert!(!field.writers.is_empty(), "{} {}", rule.name, field.name);
            let plain = field.name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_');
            assert!(plain, "{} {}: keys are split at a slash", rule.name, field.name);
            if let (Some(code), ValueType::Code(codes)) = (field.prevails, field.value) {
                assert!(codes.contains(&code));
            }
        }
    }
}

#[test]
fn country_of_every_mission_and_language_of_every_screen_is_known() {
    for country in crate::place::Country::MISSIONS {
        assert!(check(&ValueType::Country, country.code()).is_ok());
    }
    for language in ["fr", "ar", "en", "bm", "wo", "ff", "ln", "ee", "mos", "snk", "dyu", "sus"] {
        assert_eq!(check(&ValueType::Language, language).unwrap(), language.into());
    }
}

#[test]
fn a_moment_has_its_second() {
    assert_eq!(instant_s("1970-01-01T01:00:00+01:00"), Some(0));
    assert_eq!(instant_s("2026-10-05T09:00:00Z"), Some(1_791_190_800));
    assert_eq!(instant_s("tomorrow"), None);
}

fn types() -> Vec<ValueType> {
    registry::ALL.iter().flat_map(|rule| rule.fields.iter().map(|field| field.value)).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    /// Whatever is typed: no panic, and what is taken is also taken by the others, and is its own normal form.
    #[test]
    fn what_is_taken_from_a_person_is_taken_from_elsewhere(
        typed in prop_oneof!["\\PC{0,40}", "[-+0-9 ().TZ:]{0,30}", ".{0,30}", "\\+[0-9]{5,16}"],
    ) {
        for kind in types() {
            if let Ok(value) = check(&kind, &typed) {
                prop_assert_eq!(check_stored(&kind, &value), Ok(()), "{:?} {:?}", kind, &value);
                if let Value::Text(text) = &value {
                    prop_assert_eq!(check(&kind, text), Ok(value.clone()), "{:?} {:?}", kind, &value);
                }
            }
        }
    }
}
