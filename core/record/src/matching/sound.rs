//! How a name sounds. One person's name is written by ear, by French, English and Arabic habits: Mamadou, Mamadu;
//! Ouédraogo, Wedraogo; Diallo, Jallow.

use std::collections::BTreeMap;

use rphonetic::{DoubleMetaphone, Encoder};

use crate::projection::fold;

/// Longest code of a sound.
const CODE_CHARS_MAX: usize = 6;

/// Spellings of one sound, in the order in which they are replaced.
const SPELLINGS: [(&str, &str); 12] = [
    ("dj", "j"),
    ("di", "j"),
    ("dy", "j"),
    ("ou", "u"),
    ("oo", "u"),
    ("ow", "o"),
    ("ch", "sh"),
    ("qu", "k"),
    ("gn", "ny"),
    ("th", "t"),
    ("y", "i"),
    ("w", "u"),
];

/// The words of a name, each with the code of its sound.
pub(super) fn words(name: &str) -> BTreeMap<String, String> {
    let folded = fold(name);
    let words = folded.split(|char: char| !char.is_alphanumeric()).filter(|word| word.chars().count() > 1);
    words.map(|word| (word.to_owned(), sound(word))).collect()
}

/// The code of a word's sound; the word itself where its script is not Latin.
fn sound(word: &str) -> String {
    if !word.bytes().all(|byte| byte.is_ascii_lowercase()) {
        return word.to_owned();
    }
    // `di` before a vowel sounds as `j`; elsewhere, as in Idrissa, it does not.
    let mut spelt = word.to_owned();
    for (from, to) in SPELLINGS {
        spelt = if from == "di" { soften(&spelt) } else { spelt.replace(from, to) };
    }
    let code = DoubleMetaphone::new(Some(CODE_CHARS_MAX)).encode(&spelt);
    if code.is_empty() { spelt } else { code }
}

fn soften(word: &str) -> String {
    let mut softened = word.to_owned();
    for vowel in ["a", "e", "o", "u"] {
        softened = softened.replace(&format!("di{vowel}"), &format!("j{vowel}"));
    }
    softened
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn one_name_by_ear_sounds_alike() {
        for (a, b) in [
            ("Diallo", "Jallow"),
            ("Mamadou", "Mamadu"),
            ("Ouédraogo", "Wedraogo"),
            ("Fatoumata", "Fatumata"),
            ("Aïssatou", "Aisatou"),
            ("Coulibaly", "Koulibali"),
            ("Djibril", "Jibril"),
            ("Thiam", "Tiam"),
            ("Moussa", "Musa"),
        ] {
            assert_eq!(words(a).values().next(), words(b).values().next(), "{a} {b}");
        }
        for (a, b) in [("Diallo", "Traoré"), ("Moussa", "Mariam"), ("Idrissa", "Ibrahima")] {
            assert_ne!(words(a).values().next(), words(b).values().next(), "{a} {b}");
        }
    }

    #[test]
    fn any_text_has_a_sound_and_none_panics() {
        for text in ["", " ", "ا", "محمد علي", "𝕬", "’’’", "-", "x", "ŋŋŋŋ", "ß", "1234", &"z".repeat(10_000)]
        {
            let _ = words(text);
        }
        let letters: Vec<char> = ('a'..='z').collect();
        for seed in 0_usize..20_000 {
            let mut state = seed;
            let word: String = (0..2 + seed % 9)
                .map(|_| {
                    state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                    letters.get((state >> 33) % letters.len()).copied().unwrap()
                })
                .collect();
            let _ = words(&word);
        }
    }
}
