#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use super::*;

fn profile(name: &str, birth_year: i64, nationality: &str, phone: &str) -> Profile {
    Profile {
        names: [name.to_owned()].into(),
        phones: (!phone.is_empty()).then(|| phone.to_owned()).into_iter().collect(),
        birth_year: Some(birth_year),
        nationality: Some(nationality.to_owned()),
        sex: None,
    }
}

#[test]
fn one_person_at_two_points_is_found() {
    let oujda = profile("Mamadou Diallo", 1996, "GN", "+212600000001");
    for (other, why) in [
        (profile("Mamadou Diallo", 1996, "GN", ""), "the same"),
        (profile("Diallo Mamadou", 1996, "GN", ""), "family name first"),
        (profile("Mamadu Jallow", 1997, "GN", ""), "by ear, the year estimated"),
        (profile("Mamadou D. Diallo", 1996, "GN", ""), "with an initial"),
        (profile("M. Diallo", 1996, "GN", "+212600000001"), "the same phone"),
    ] {
        let likeness = oujda.likeness(&other);
        assert!(likeness.is_some(), "{why}");
        assert_eq!(likeness, other.likeness(&oujda), "{why}: the same whichever asks");
        assert!(!oujda.keys().is_disjoint(&other.keys()), "{why}: an index finds it");
    }
}

#[test]
fn different_people_are_not() {
    let oujda = profile("Mamadou Diallo", 1996, "GN", "+212600000001");
    for (other, why) in [
        (profile("Ibrahima Sow", 1996, "GN", ""), "another name"),
        (profile("Mamadou Diallo", 1970, "GN", ""), "a father and his son"),
        (profile("Mamadou Diallo", 2004, "SN", ""), "a common name in two countries"),
        (profile("Aminata Traore", 1975, "GN", "+212600000001"), "a phone shared in the family"),
        (profile("Mamadou Barry", 1990, "GN", ""), "a common first name"),
        (Profile::default(), "nothing known"),
    ] {
        assert_eq!(oujda.likeness(&other), None, "{why}");
    }
}

#[test]
fn a_spelling_variant_counts_as_the_name() {
    let mut one = profile("محمد علي", 1990, "ML", "");
    one.names.insert("Mohamed Ali".to_owned());
    let other = profile("Mohamed Aly", 1990, "ML", "");
    assert!(one.likeness(&other).unwrap().reasons.contains(&Reason::SoundsAlike));
}

#[test]
fn the_likeliest_comes_first() {
    let asked = profile("Fatoumata Camara", 1993, "GN", "+212600000009");
    let same = profile("Fatoumata Camara", 1993, "GN", "+212600000009");
    let near = profile("Fatumata Kamara", 1994, "GN", "");
    let far = profile("Jean Mbarga", 1993, "CM", "");
    let others = [(RecordId([1; 16]), &near), (RecordId([2; 16]), &same), (RecordId([3; 16]), &far)];
    let found = likely(&asked, others);
    let cases: Vec<RecordId> = found.iter().map(|(case, _)| *case).collect();
    assert_eq!(cases, [RecordId([2; 16]), RecordId([1; 16])]);
    assert_eq!(
        found[0].1.reasons,
        [Reason::SameName, Reason::SamePhone, Reason::SameBirthYear, Reason::SameNationality].into()
    );
}
