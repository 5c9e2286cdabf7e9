//! Names, lines and prose.

use unicode_normalization::UnicodeNormalization;

use super::ValueError;

/// Longest name, in characters.
pub(super) const NAME_CHARS_MAX: usize = 120;
/// No normal form is longer than this many times its text, so longer texts are refused before any work.
const NORMAL_FORM_FACTOR: usize = 4;

/// Marks that change the direction of writing, or show as nothing: they make one name look like another. Source:
/// Unicode, "Bidirectional Algorithm", explicit formatting characters, with the byte order mark and separators.
pub(super) fn is_invisible_mark(char: char) -> bool {
    matches!(char,
        '\u{61C}' | '\u{200B}' | '\u{200E}' | '\u{200F}' | '\u{2028}'..='\u{202E}' | '\u{2060}'..='\u{2064}'
        | '\u{2066}'..='\u{206F}' | '\u{FEFF}' | '\u{FFF9}'..='\u{FFFB}')
}

/// What every text keeps, whoever wrote it: length, no control character, no invisible mark.
pub(super) fn check_form(text: &str, max: usize, lines: bool) -> Result<(), ValueError> {
    // A character takes at most four bytes: counted only when it can matter.
    if text.len() > max && (text.len() > max.saturating_mul(4) || text.chars().count() > max) {
        return Err(ValueError::TooLong);
    }
    for char in text.chars() {
        if char.is_control() && !(lines && matches!(char, '\n' | '\t')) {
            return Err(ValueError::ControlCharacter);
        }
        if is_invisible_mark(char) {
            return Err(ValueError::InvisibleMark);
        }
    }
    Ok(())
}

fn normal(text: &str, max: usize) -> Result<String, ValueError> {
    if text.len() > max.saturating_mul(4 * NORMAL_FORM_FACTOR) {
        return Err(ValueError::TooLong);
    }
    let normal: String = text.trim_matches(' ').nfc().collect();
    if normal.trim().is_empty() { Err(ValueError::Empty) } else { Ok(normal) }
}

pub(super) fn line(text: &str, max: usize) -> Result<String, ValueError> {
    let normal = normal(text, max)?;
    check_form(&normal, max, false)?;
    Ok(normal)
}

/// A name: as a line, with single spaces, and at least one letter.
pub(super) fn name(text: &str) -> Result<String, ValueError> {
    let line = line(text, NAME_CHARS_MAX)?;
    let name = line.split_whitespace().collect::<Vec<_>>().join(" ");
    if name.chars().any(char::is_alphabetic) { Ok(name) } else { Err(ValueError::NotAName) }
}

pub(super) fn prose(text: &str, max: usize) -> Result<String, ValueError> {
    if text.len() > max.saturating_mul(4 * NORMAL_FORM_FACTOR) {
        return Err(ValueError::TooLong);
    }
    let unix = text.replace("\r\n", "\n");
    let normal = normal(unix.trim_end(), max)?;
    check_form(&normal, max, true)?;
    Ok(normal)
}

/// A code, number or date as typed: without spaces around, and short.
pub(super) fn bare(text: &str) -> Result<&str, ValueError> {
    let bare = text.trim_matches(' ');
    if bare.is_empty() {
        return Err(ValueError::Empty);
    }
    check_form(bare, 80, false)?;
    Ok(bare)
}
