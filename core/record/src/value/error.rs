//! Why a value is refused.

/// A value that its field cannot hold. Messages never repeat the value: it may be personal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ValueError {
    /// Nothing but spaces.
    #[error("the value is empty")]
    Empty,
    /// More characters than the field holds.
    #[error("the value is too long")]
    TooLong,
    /// NUL or another control character, or a line break where one line is asked for.
    #[error("the value holds a control character")]
    ControlCharacter,
    /// An invisible mark that changes the direction of writing.
    #[error("the value holds an invisible mark")]
    InvisibleMark,
    /// A name without a letter.
    #[error("a name has at least one letter")]
    NotAName,
    /// None of the field's codes.
    #[error("the value is none of the field's codes")]
    NotACode,
    /// No whole number.
    #[error("the value is not a whole number")]
    NotANumber,
    /// A number or date beyond the field's bounds.
    #[error("the value is out of range")]
    OutOfRange,
    /// No date of the calendar.
    #[error("there is no such date")]
    NoSuchDate,
    /// No moment with its offset.
    #[error("the value is not a moment with its offset")]
    NotAnInstant,
    /// A telephone number of no country.
    #[error("there is no such telephone number")]
    NoSuchPhone,
    /// No language of ISO 639.
    #[error("there is no such language")]
    NoSuchLanguage,
    /// No country of ISO 3166-1.
    #[error("there is no such country")]
    NoSuchCountry,
    /// No orientation point.
    #[error("there is no such orientation point")]
    NoSuchPoint,
    /// No identifier.
    #[error("the value is not an identifier")]
    NotAnId,
    /// Neither true nor false.
    #[error("the value is neither true nor false")]
    NotAFlag,
    /// An event is recorded by its own command.
    #[error("events are not set by hand")]
    NotByHand,
    /// A value of another type than the field's.
    #[error("the value is of another type")]
    WrongType,
}

impl ValueError {
    /// The stable code.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Empty => "empty",
            Self::TooLong => "too_long",
            Self::ControlCharacter => "control_character",
            Self::InvisibleMark => "invisible_mark",
            Self::NotAName => "not_a_name",
            Self::NotACode => "not_a_code",
            Self::NotANumber => "not_a_number",
            Self::OutOfRange => "out_of_range",
            Self::NoSuchDate => "no_such_date",
            Self::NotAnInstant => "not_an_instant",
            Self::NoSuchPhone => "no_such_phone",
            Self::NoSuchLanguage => "no_such_language",
            Self::NoSuchCountry => "no_such_country",
            Self::NoSuchPoint => "no_such_point",
            Self::NotAnId => "not_an_id",
            Self::NotAFlag => "not_a_flag",
            Self::NotByHand => "not_by_hand",
            Self::WrongType => "wrong_type",
        }
    }

    /// What to do about it, in a short sentence.
    #[must_use]
    pub fn what_to_do(self) -> &'static str {
        match self {
            Self::Empty => "give a value, or clear the field",
            Self::TooLong => "shorten the value",
            Self::ControlCharacter | Self::InvisibleMark => "type the value again without invisible characters",
            Self::NotAName => "write the name with letters",
            Self::NotACode => "use one of the codes that `fields` lists",
            Self::NotANumber | Self::OutOfRange => "give a whole number within the bounds that `fields` lists",
            Self::NoSuchDate => "write a date that exists as YYYY-MM-DD",
            Self::NotAnInstant => "write the moment as 2026-10-05T09:00:00+01:00",
            Self::NoSuchPhone => "write the number with its country, as +212612345678",
            Self::NoSuchLanguage => "use an ISO 639 code, as fr, ar or snk",
            Self::NoSuchCountry => "use an ISO 3166-1 code of two letters, as GN or ML",
            Self::NoSuchPoint => "use casablanca, rabat or oujda",
            Self::NotAnId => "give 32 lowercase hexadecimal digits",
            Self::NotAFlag => "give true or false",
            Self::NotByHand => "use the command that records this event",
            Self::WrongType => "give a value of the field's type",
        }
    }
}
