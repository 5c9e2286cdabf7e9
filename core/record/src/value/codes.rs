//! Telephone numbers, languages and countries.

use phonenumber::Mode;
use phonenumber::country::Id as Region;
use phonenumber::metadata::DATABASE;

use super::ValueError;
use super::text;

/// Longest telephone number as typed, spaces and brackets included.
const PHONE_TYPED_BYTES_MAX: usize = 40;

/// ISO 639-1 code and ISO 639-3 code of the same language. Source: Debian's iso-codes 4.15.
const ISO_639_1: &str = include_str!("iso639_1.txt");
/// Living languages that have an ISO 639-3 code only. Source: Debian's iso-codes 4.15.
const ISO_639_3: &str = include_str!("iso639_3.txt");
/// Countries of ISO 3166-1. Source: Debian's iso-codes 4.15.
const ISO_3166_1: &str = include_str!("iso3166_1.txt");

/// The number in E.164. Without a country it is Moroccan: that is where people register.
///
/// Country and length must exist. Ranges within a country are not asked for: they change faster than an app is
/// updated, and a refused number is a person who cannot be reached.
pub(super) fn phone(typed: &str) -> Result<String, ValueError> {
    let typed = text::bare(typed)?;
    let allowed = |byte: u8| byte.is_ascii_digit() || b"+ -.()/".contains(&byte);
    if typed.len() > PHONE_TYPED_BYTES_MAX || !typed.bytes().all(allowed) {
        return Err(ValueError::NoSuchPhone);
    }
    let digits: String = typed.chars().filter(|char| char.is_ascii_digit() || *char == '+').collect();
    if digits.rfind('+').is_some_and(|at| at > 0) {
        return Err(ValueError::NoSuchPhone);
    }
    let international = digits.strip_prefix('+').or_else(|| digits.strip_prefix("00"));
    let international = international.map(|number| format!("+{number}"));
    // A default region would have its own trunk prefix taken off foreign numbers too, and Côte d'Ivoire's begin with 0.
    let number = match &international {
        Some(number) => phonenumber::parse(None, number),
        None => phonenumber::parse(Some(Region::MA), &digits),
    };
    let number = number.map_err(|_| ValueError::NoSuchPhone)?;
    let regions = DATABASE.by_code(&number.code().value()).ok_or(ValueError::NoSuchPhone)?;
    let e164 = number.format().mode(Mode::E164).to_string();
    let national = e164.len().saturating_sub(1 + number.code().value().to_string().len());
    let possible = regions.iter().any(|region| {
        let ranges = region.descriptors();
        let kinds = [ranges.mobile(), ranges.fixed_line(), ranges.voip(), ranges.personal_number()];
        let mut lengths = kinds.into_iter().flatten().flat_map(|kind| kind.possible_length());
        lengths.any(|length| usize::from(*length) == national)
    });
    if possible && super::stored::is_phone(&e164) { Ok(e164) } else { Err(ValueError::NoSuchPhone) }
}

/// The shortest ISO 639 code of the language: `fra` is kept as `fr`.
pub(super) fn language(typed: &str) -> Result<String, ValueError> {
    let code = typed.to_ascii_lowercase();
    let pairs = ISO_639_1.split_ascii_whitespace().filter_map(|pair| pair.split_once('='));
    for (short, long) in pairs {
        if code == short || code == long {
            return Ok(short.to_owned());
        }
    }
    if ISO_639_3.split_ascii_whitespace().any(|known| known == code) {
        Ok(code)
    } else {
        Err(ValueError::NoSuchLanguage)
    }
}

pub(super) fn country(typed: &str) -> Result<String, ValueError> {
    let code = typed.to_ascii_uppercase();
    if ISO_3166_1.split_ascii_whitespace().any(|known| known == code) {
        Ok(code)
    } else {
        Err(ValueError::NoSuchCountry)
    }
}
