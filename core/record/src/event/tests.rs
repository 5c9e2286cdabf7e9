#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use super::*;

fn read(family: Family, json: &str) -> Result<CaseEvent, EventError> {
    CaseEvent::parse(family, json)
}

#[test]
fn an_event_is_written_as_it_is_read() {
    let id = "00112233445566778899aabbccddeeff";
    for (family, json) in [
        (Family::Registered, r#"{"point":"oujda","on":"2026-10-01"}"#.to_owned()),
        (Family::Registered, r#"{"point":"rabat","on":"2026-10-01","basis":"vital_interest"}"#.to_owned()),
        (Family::Transfer, r#"{"to":"casablanca"}"#.to_owned()),
        (Family::Stage, r#"{"to":"plan_agreed"}"#.to_owned()),
        (Family::Consent, r#"{"purpose":"assist","status":"given","form":"oral"}"#.to_owned()),
        (
            Family::Consent,
            format!(
                r#"{{"purpose":"share_with_origin_mission","status":"given","form":"written","language":"fr","scope":["project","assessment"],"recipient":"ML","after":["{id}"]}}"#
            ),
        ),
        (Family::Handover, r#"{"step":"proposed","to":"ML"}"#.to_owned()),
        (Family::Handover, format!(r#"{{"step":"rejected","to":"ML","of":"{id}","reason":"incomplete"}}"#)),
        (Family::Departure, r#"{"step":"departed","on":"2026-12-24"}"#.to_owned()),
        (Family::Join, format!(r#"{{"other":"{id}","step":"join"}}"#)),
    ] {
        let event = read(family, &json).unwrap();
        assert_eq!(event.family(), family);
        assert_eq!(event.to_json(), json);
    }
}

#[test]
fn fields_of_a_newer_build_are_tolerated() {
    let event = read(Family::Transfer, r#"{"to":"rabat","why":{"nested":[1,2]}}"#).unwrap();
    assert_eq!(event, CaseEvent::Transfer(Transfer { to: Point::Rabat }));
}

#[test]
fn what_is_no_event_is_refused() {
    let id = "00112233445566778899aabbccddeeff";
    for (family, json) in [
        (Family::Registered, ""),
        (Family::Registered, "[]"),
        (Family::Registered, "null"),
        (Family::Registered, r#"{"point":"oujda"}"#),
        (Family::Registered, r#"{"point":"paris","on":"2026-10-01"}"#),
        (Family::Registered, r#"{"point":"oujda","on":"2026-02-30"}"#),
        (Family::Registered, r#"{"point":"oujda","on":"2026-2-03"}"#),
        (Family::Registered, r#"{"point":"oujda","on":"2026-02-03T10:00:00"}"#),
        (Family::Registered, r#"{"point":"oujda","on":"0026-02-03"}"#),
        (Family::Registered, r#"{"point":"oujda","point":"rabat","on":"2026-02-03"}"#),
        (Family::Registered, r#"{"point":"oujda","on":"2026-10-01"} trailing"#),
        (Family::Registered, r#"{"point":"oujda","on":"2026-10-01","basis":"habit"}"#),
        (Family::Consent, r#"{"purpose":"assist","status":"given"}"#),
        (Family::Consent, r#"{"purpose":"assist","status":"perhaps","form":"oral"}"#),
        (Family::Consent, r#"{"purpose":"assist","status":"given","form":"oral","language":"français"}"#),
        (Family::Consent, r#"{"purpose":"assist","status":"given","form":"oral","recipient":"Mali"}"#),
        (Family::Consent, r#"{"purpose":"assist","status":"given","form":"oral","after":["x"]}"#),
        (Family::Handover, r#"{"step":"accepted","to":"ML"}"#),
        (Family::Handover, r#"{"step":"proposed","to":"ml"}"#),
        (Family::Handover, &format!(r#"{{"step":"rejected","to":"ML","of":"{id}"}}"#)),
        (Family::Handover, &format!(r#"{{"step":"proposed","to":"ML","of":"{id}"}}"#)),
        (Family::Join, &format!(r#"{{"other":"{}","step":"join"}}"#, id.to_uppercase())),
    ] {
        assert!(read(family, json).is_err(), "{family}: {json}");
    }
    let long = format!(r#"{{"to":"rabat","why":"{}"}}"#, "x".repeat(EVENT_BYTES_MAX));
    assert_eq!(read(Family::Transfer, &long), Err(EventError::TooLong));
    let many: Vec<String> = (0..=AFTER_MAX).map(|n| format!("\"{n:032x}\"")).collect();
    let many = format!(r#"{{"purpose":"photo","status":"given","form":"oral","after":[{}]}}"#, many.join(","));
    assert!(read(Family::Consent, &many).is_err());
}

#[test]
fn deep_nesting_in_an_unknown_field_is_no_danger() {
    let deep = format!(r#"{{"to":"rabat","x":{}{}}}"#, "[".repeat(3000), "]".repeat(3000));
    assert_eq!(read(Family::Transfer, &deep), Ok(CaseEvent::Transfer(Transfer { to: Point::Rabat })));
}
