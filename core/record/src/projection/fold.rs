//! Folding of words, so that search finds a name however it was typed.

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

/// `text` in lower case without accents, apostrophes and joins: `N’Dèye Almeida-Sy` and `ndeye almeida sy` fold alike.
/// Letters of West African alphabets fold to the Latin ones that they are typed as, Arabic ones lose their vowel marks.
#[must_use]
pub fn fold(text: &str) -> String {
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
