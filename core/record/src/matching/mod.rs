//! Likely duplicates: cases that may be one person's. Shown to staff, offline too; nothing is joined by itself.

mod sound;

use std::collections::BTreeSet;

use foras_wire::id::RecordId;

use crate::document::Document;
use crate::event::codes;
use crate::value::Value;

/// From how many points a likeness is shown.
pub const SHOWN_FROM: i32 = 60;
/// Years of birth are often estimated: within so many they agree.
const YEARS_NEAR: i64 = 2;
/// Years of birth that lie so far apart speak against one person.
const YEARS_FAR: i64 = 5;
/// Words that differ by little more than a typing error, out of 100.
const WORD_NEAR: i32 = 88;

codes! {
    /// Why two cases look like one person's.
    Reason {
        /// The names are the same.
        SameName = "same_name",
        /// The names sound alike.
        SoundsAlike = "sounds_alike",
        /// A telephone number is the same; families share phones.
        SamePhone = "same_phone",
        /// The years of birth are the same.
        SameBirthYear = "same_birth_year",
        /// The years of birth are near.
        NearBirthYear = "near_birth_year",
        /// The nationalities are the same.
        SameNationality = "same_nationality",
    }
}

/// What is compared of a person.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Profile {
    /// The name and its spelling variants.
    pub names: BTreeSet<String>,
    /// Telephone numbers, E.164.
    pub phones: BTreeSet<String>,
    /// The year of birth.
    pub birth_year: Option<i64>,
    /// The nationality, ISO 3166-1 alpha-2.
    pub nationality: Option<String>,
    /// The code of the sex.
    pub sex: Option<String>,
}

/// How much two profiles look like one person's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Likeness {
    /// 100 and more: nearly sure. See [`SHOWN_FROM`].
    pub points: i32,
    /// Why.
    pub reasons: BTreeSet<Reason>,
}

impl Profile {
    /// The profile that a person's two records give.
    #[must_use]
    pub fn of(person: &Document, case: &Document) -> Self {
        let set = |name| person.kind().rule().field(name).map(|field| person.members(field)).unwrap_or_default();
        let value =
            |document: &Document, name| document.kind().rule().field(name).and_then(|field| document.value(field));
        let text = |document, name| value(document, name).and_then(|value| value.as_text().map(str::to_owned));
        let mut names: BTreeSet<String> = set("name_variants");
        names.extend(text(person, "name"));
        Self {
            names,
            phones: set("phone"),
            birth_year: value(case, "birth_year").as_ref().and_then(Value::as_int),
            nationality: text(case, "nationality"),
            sex: text(case, "sex").filter(|sex| sex != "unknown"),
        }
    }

    /// Keys under which likely duplicates meet: an index over them finds candidates without comparing everybody with
    /// everybody. Profiles that share none are not likely.
    #[must_use]
    pub fn keys(&self) -> BTreeSet<String> {
        let sounds = self.names.iter().flat_map(|name| sound::words(name).into_values());
        let phones = self.phones.iter().map(|phone| format!("phone {phone}"));
        sounds.map(|sound| format!("sound {sound}")).chain(phones).collect()
    }

    /// How much the two look like one person's; `None` below [`SHOWN_FROM`]. The same whichever asks.
    #[must_use]
    pub fn likeness(&self, other: &Self) -> Option<Likeness> {
        let mut likeness = Likeness { points: 0, reasons: BTreeSet::new() };
        likeness.add_names(self, other);
        if !self.phones.is_disjoint(&other.phones) {
            likeness.add(40, Some(Reason::SamePhone));
        }
        if let (Some(one), Some(two)) = (self.birth_year, other.birth_year) {
            match one.abs_diff(two) {
                0 => likeness.add(20, Some(Reason::SameBirthYear)),
                apart if apart <= YEARS_NEAR.unsigned_abs() => likeness.add(10, Some(Reason::NearBirthYear)),
                apart if apart > YEARS_FAR.unsigned_abs() => likeness.add(-30, None),
                _ => {}
            }
        }
        if let (Some(one), Some(two)) = (&self.nationality, &other.nationality) {
            if one == two { likeness.add(10, Some(Reason::SameNationality)) } else { likeness.add(-20, None) }
        }
        if let (Some(one), Some(two)) = (&self.sex, &other.sex)
            && one != two
        {
            likeness.add(-20, None);
        }
        (likeness.points >= SHOWN_FROM).then_some(likeness)
    }
}

impl Likeness {
    fn add(&mut self, points: i32, reason: Option<Reason>) {
        self.points += points;
        self.reasons.extend(reason);
    }

    fn add_names(&mut self, one: &Profile, other: &Profile) {
        let pairs = one.names.iter().flat_map(|a| other.names.iter().map(move |b| (a, b)));
        let best = pairs.map(|(a, b)| names_agree(a, b)).max().unwrap_or(0);
        match best {
            100 => self.add(50, Some(Reason::SameName)),
            80.. => self.add(45, Some(Reason::SoundsAlike)),
            60.. => self.add(25, Some(Reason::SoundsAlike)),
            _ => {}
        }
    }
}

/// How far two names agree, out of 100: each word of the shorter name against its best in the longer. Order does not
/// matter: family names stand first or last.
fn names_agree(a: &str, b: &str) -> i32 {
    let (a, b) = (sound::words(a), sound::words(b));
    let (short, long) = if a.len() <= b.len() { (a, b) } else { (b, a) };
    if short.is_empty() {
        return 0;
    }
    let best = |(word, sound): (&String, &String)| {
        let agree = long.iter().map(|(other, other_sound)| {
            if word == other {
                100
            } else if sound == other_sound {
                90
            } else {
                // Out of 100, and bounded by it: a similarity lies between 0 and 1.
                let percent = (strsim::jaro_winkler(word, other) * 100.0) as i32;
                if percent >= WORD_NEAR { 80 } else { 0 }
            }
        });
        agree.max().unwrap_or(0)
    };
    let words = i32::try_from(short.len()).unwrap_or(i32::MAX);
    let agreed = short.iter().map(best).sum::<i32>() / words;
    // One word alone is a weak name.
    if words == 1 && long.len() > 1 { agreed.min(79) } else { agreed }
}

/// The cases among `others` that look like this person's, the likeliest first; by case where they are equal.
#[must_use]
pub fn likely<'a>(
    profile: &Profile,
    others: impl IntoIterator<Item = (RecordId, &'a Profile)>,
) -> Vec<(RecordId, Likeness)> {
    let likely = others.into_iter().filter_map(|(case, other)| Some((case, profile.likeness(other)?)));
    let mut likely: Vec<_> = likely.collect();
    likely.sort_by_key(|(case, likeness)| (-likeness.points, *case));
    likely
}

#[cfg(test)]
mod tests;
