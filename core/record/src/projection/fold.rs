//! Folding of words, so that search finds a name however it was typed.

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

/// `text` in lower case without accents, apostrophes and joins: `N’Dèye Almeida-Sy` and `ndeye almeida sy` fold alike.
/// Letters of West African alphabets fold to the Latin ones that they are typed as, Arabic ones lose their vowel marks.
#[must_use]
pub fn fold(text: &str) -> String {
    if text.is_ascii() {
        return fold_ascii(text);
    }
    let mut folded = String::with_capacity(text.len());
    for char in text.nfkd().filter(|char| !is_combining_mark(*char)).flat_map(char::to_lowercase) {
        match char {
            '\'' | '\u{2019}' | '\u{2018}' | '\u{2BC}' | '`' | '\u{640}' | '\u{200C}' | '\u{200D}' => {}
            '-' | '\u{2010}'..='\u{2015}' | '_' | '/' | ',' | ';' => folded.push(' '),
            'œ' => folded.push_str("oe"),
            'æ' => folded.push_str("ae"),
            'ß' => folded.push_str("ss"),
            'ø' | 'ɔ' => folded.push('o'),
            'ɛ' | 'ǝ' | 'ə' => folded.push('e'),
            'ɓ' => folded.push('b'),
            'ɗ' | 'đ' => folded.push('d'),
            'ŋ' | 'ɲ' => folded.push('n'),
            'ƴ' => folded.push('y'),
            'ƙ' => folded.push('k'),
            'ɣ' => folded.push('g'),
            'ł' => folded.push('l'),
            'ı' | 'ɩ' => folded.push('i'),
            'ʋ' => folded.push('v'),
            'ة' => folded.push('ه'),
            'ى' => folded.push('ي'),
            other => folded.push(other),
        }
    }
    folded.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// As [`fold`], where nothing decomposes.
fn fold_ascii(text: &str) -> String {
    let mut folded = String::with_capacity(text.len());
    for char in text.chars() {
        match char {
            '\'' | '`' => {}
            '-' | '_' | '/' | ',' | ';' => begin_word(&mut folded),
            other if other.is_whitespace() => begin_word(&mut folded),
            other => folded.push(other.to_ascii_lowercase()),
        }
    }
    if folded.ends_with(' ') {
        folded.pop();
    }
    folded
}

/// One blank between words, none before the first.
fn begin_word(folded: &mut String) {
    if !folded.is_empty() && !folded.ends_with(' ') {
        folded.push(' ');
    }
}

#[cfg(test)]
mod tests {
    use super::{UnicodeNormalization, fold};

    #[test]
    fn ascii_folds_as_all_text_does() {
        let texts: [String; 2] = [(0_u8..128).map(char::from).collect(), (0_u8..128).rev().map(char::from).collect()];
        let words = ["", "-", " -a", "O'Neil-Sy", "a -- b", "`A`  B\t", "\u{b}x\u{c}y\u{1c}z", "'", "a_", "x ; y"];
        for text in texts.iter().map(String::as_str).chain(words) {
            // A letter beyond ASCII takes the long way.
            assert_eq!(fold(&format!("{text}\u{65e5}")), format!("{}\u{65e5}", with_end(text)), "{text:?}");
            assert!(text.nfkd().eq(text.chars()));
        }
    }

    /// What stands before a letter that follows: a blank at the end stays.
    fn with_end(text: &str) -> String {
        let mut folded = fold(&format!("{text}x"));
        folded.pop();
        folded
    }
}
