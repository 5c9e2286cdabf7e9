//! One line of an import: a case as a JSON object. Read whole before anything of it is written.

use foras_record::field::ValueType;
use foras_record::kind::Kind;
use foras_record::kinds::MODULES;
use foras_record::value;
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::lines::Object;
use super::setting::{self, Setting};
use crate::error::Error;

/// The kinds whose fields a line sets by name.
const KINDS: [Kind; 3] = [Kind::Case, Kind::Person, Kind::Project];
/// What a line must hold, besides the consent to assist or another legal basis.
const MANDATORY: [&str; 7] = ["name", "sex", "birth_year", "nationality", "country", "point", "registered_on"];
/// What a line says besides fields of those kinds.
const OF_LINE: [&str; 8] =
    ["id", "point", "registered_on", "vulnerabilities", "consents", "basis", "modules", "satisfaction"];
/// Most module days of one line.
const MODULE_DAYS_MAX: usize = 200;

/// Why a line, or one of its fields, is not taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Refused {
    /// Stable code.
    pub(crate) code: String,
    /// The field, where one is at fault.
    pub(crate) field: Option<String>,
}

impl Refused {
    pub(crate) fn field(code: &str, field: impl Into<String>) -> Self {
        Self { code: code.to_owned(), field: Some(field.into()) }
    }
}

/// Why a line was not taken: its own fault, or one that ends the whole run.
pub(super) enum LineError {
    /// The line's.
    Refused(Refused),
    /// The device's.
    Failed(Error),
}

impl From<Refused> for LineError {
    fn from(refused: Refused) -> Self {
        Self::Refused(refused)
    }
}

impl From<Error> for LineError {
    fn from(error: Error) -> Self {
        let field = |field: Option<&'static str>| field.map(str::to_owned);
        match error {
            Error::InvalidValue { code, field: name } => {
                Self::Refused(Refused { code: code.to_owned(), field: field(name) })
            }
            Error::NotAllowed { field: name, .. } => {
                Self::Refused(Refused { code: "not_allowed".to_owned(), field: field(name) })
            }
            Error::NotFound => Self::Refused(Refused { code: "not_found".to_owned(), field: None }),
            Error::Misuse(_) => Self::Refused(Refused { code: "misuse".to_owned(), field: None }),
            Error::NoCaseNumber => Self::Refused(Refused { code: "no_case_number".to_owned(), field: None }),
            Error::Refused { code } => Self::Refused(Refused { code, field: None }),
            other => Self::Failed(other),
        }
    }
}

/// What a line says of one consent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ConsentSaid {
    pub(crate) purpose: String,
    pub(crate) status: String,
    pub(crate) form: String,
}

/// What a line says of one day of a module.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ModuleDay {
    pub(crate) module: &'static str,
    pub(crate) on: String,
    pub(crate) attendance: String,
}

/// A case as a line tells it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct CaseLine {
    /// The case's id, where the line was exported.
    pub(crate) id: Option<String>,
    /// The identity: `ref`, else the hash of the line in canonical form, without its `id`.
    pub(crate) identity: Vec<u8>,
    /// The fields of person, case and project.
    pub(crate) settings: Vec<Setting>,
    pub(crate) point: String,
    pub(crate) registered_on: String,
    pub(crate) vulnerabilities: Vec<String>,
    pub(crate) consents: Vec<ConsentSaid>,
    pub(crate) basis: Option<String>,
    pub(crate) modules: Vec<ModuleDay>,
    pub(crate) satisfaction: Option<String>,
}

impl CaseLine {
    /// Reads a line's object.
    pub(crate) fn read(object: &Object) -> Result<Self, Refused> {
        let mut line = Self {
            id: None,
            identity: canonical_hash(object),
            settings: Vec::new(),
            point: String::new(),
            registered_on: String::new(),
            vulnerabilities: Vec::new(),
            consents: Vec::new(),
            basis: None,
            modules: Vec::new(),
            satisfaction: None,
        };
        if let Some(missing) = MANDATORY.iter().find(|name| is_absent(object.get(**name))) {
            return Err(Refused::field("missing_field", *missing));
        }
        for (name, value) in object {
            line.read_field(name, value)?;
        }
        if line.basis.is_none() && !line.consents.iter().any(|consent| consent.purpose == "assist") {
            return Err(Refused::field("missing_field", "consents.assist"));
        }
        Ok(line)
    }

    fn read_field(&mut self, name: &str, value: &Value) -> Result<(), Refused> {
        if is_absent(Some(value)) {
            let is_known = OF_LINE.contains(&name) || setting::holders(&KINDS, name).is_ok();
            return if is_known { Ok(()) } else { Err(Refused::field("unknown_field", name)) };
        }
        match name {
            "id" => self.id = Some(text(name, value)?),
            "point" => self.point = checked(name, &ValueType::Point, value)?,
            "registered_on" => self.registered_on = checked(name, &ValueType::Date, value)?,
            "vulnerabilities" => self.vulnerabilities = texts(name, value)?,
            "consents" => self.consents = consents(value)?,
            "basis" => self.basis = Some(text(name, value)?),
            "modules" => self.modules = modules(value)?,
            "satisfaction" => {
                self.satisfaction = Some(checked(name, &ValueType::Code(&["yes", "no", "none"]), value)?);
            }
            _ => {
                let mut settings = settings(&KINDS, name, value)?;
                if name == "ref"
                    && let Some(setting) = settings.first()
                {
                    self.identity = setting.value.trim().as_bytes().to_vec();
                }
                self.settings.append(&mut settings);
            }
        }
        Ok(())
    }
}

/// The settings that a JSON value of field `name` means: the type of JSON must be the field's. `null` clears.
pub(crate) fn settings(kinds: &[Kind], name: &str, value: &Value) -> Result<Vec<Setting>, Refused> {
    let holders = setting::holders(kinds, name).map_err(|_| Refused::field("unknown_field", name))?;
    let Some((_, field)) = holders.first() else { return Err(Refused::field("unknown_field", name)) };
    let values = match value {
        Value::Array(_) if !setting::takes_several(field) => return Err(Refused::field("wrong_type", name)),
        Value::Array(values) if values.is_empty() => return Ok(vec![Setting::new(name, "")]),
        Value::Array(values) => values.as_slice(),
        one => std::slice::from_ref(one),
    };
    let is_list = value.is_array();
    values
        .iter()
        .map(|value| match (value, &field.value) {
            (Value::Null, _) if !is_list => Ok(Setting::new(name, "")),
            (Value::Number(number), ValueType::Int { .. }) if number.is_i64() || number.is_u64() => {
                Ok(Setting::new(name, number.to_string()))
            }
            (Value::Bool(flag), ValueType::Flag) => Ok(Setting::new(name, flag.to_string())),
            (_, ValueType::Int { .. } | ValueType::Flag) => Err(Refused::field("wrong_type", name)),
            (Value::String(text), _) if !(is_list && text.is_empty()) => Ok(Setting::new(name, text.clone())),
            _ => Err(Refused::field("wrong_type", name)),
        })
        .collect()
}

fn consents(value: &Value) -> Result<Vec<ConsentSaid>, Refused> {
    let Value::Object(consents) = value else { return Err(Refused::field("wrong_type", "consents")) };
    let said = consents.iter().map(|(purpose, said)| {
        let field = format!("consents.{purpose}");
        let (status, form) = match said {
            Value::String(form) => ("given".to_owned(), form.clone()),
            Value::Object(parts) if parts.keys().all(|key| key == "status" || key == "form") => {
                let part = |key: &str| text(&field, parts.get(key).unwrap_or(&Value::Null));
                (part("status")?, part("form")?)
            }
            _ => return Err(Refused::field("wrong_type", field)),
        };
        Ok(ConsentSaid { purpose: purpose.clone(), status, form })
    });
    said.collect()
}

fn modules(value: &Value) -> Result<Vec<ModuleDay>, Refused> {
    let Value::Array(days) = value else { return Err(Refused::field("wrong_type", "modules")) };
    if days.len() > MODULE_DAYS_MAX {
        return Err(Refused::field("too_many_values", "modules"));
    }
    let day = |day: &Value| {
        let Value::Object(parts) = day else { return Err(Refused::field("wrong_type", "modules")) };
        if let Some(unknown) = parts.keys().find(|key| !matches!(key.as_str(), "module" | "on" | "attendance")) {
            return Err(Refused::field("unknown_field", format!("modules.{unknown}")));
        }
        let part = |key: &str, value_type: ValueType| {
            let field = format!("modules.{key}");
            let Some(value) = parts.get(key) else { return Err(Refused::field("missing_field", field)) };
            checked(&field, &value_type, value)
        };
        let module = part("module", ValueType::Code(MODULES))?;
        let known = MODULES.iter().find(|known| **known == module).copied();
        Ok(ModuleDay {
            module: known.ok_or_else(|| Refused::field("unknown_code", "modules.module"))?,
            on: part("on", ValueType::Date)?,
            attendance: part("attendance", ValueType::Code(&["present", "partly", "absent"]))?,
        })
    };
    days.iter().map(day).collect()
}

fn checked(field: &str, value_type: &ValueType, value: &Value) -> Result<String, Refused> {
    let checked = value::check(value_type, &text(field, value)?);
    checked.map(|value| setting::plain(&value)).map_err(|error| Refused::field(error.code(), field))
}

fn text(field: &str, value: &Value) -> Result<String, Refused> {
    value.as_str().map(str::to_owned).ok_or_else(|| Refused::field("wrong_type", field))
}

fn texts(field: &str, value: &Value) -> Result<Vec<String>, Refused> {
    match value {
        Value::Array(values) => values.iter().map(|value| text(field, value)).collect(),
        one => Ok(vec![text(field, one)?]),
    }
}

/// Nothing is said where a field is missing, null or an empty text.
fn is_absent(value: Option<&Value>) -> bool {
    match value {
        None | Some(Value::Null) => true,
        Some(Value::String(text)) => text.is_empty(),
        Some(_) => false,
    }
}

/// SHA-256 of the object with sorted keys and no spaces, without `id`.
fn canonical_hash(object: &Object) -> Vec<u8> {
    let content: Object =
        object.iter().filter(|(name, _)| *name != "id").map(|(k, v)| (k.clone(), v.clone())).collect();
    let text = serde_json::to_string(&content).unwrap_or_default();
    Sha256::digest(text.as_bytes()).to_vec()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::super::lines::object;
    use super::*;

    const LINE: &str = r#"{"ref":"o-17","name":"Awa Sample","sex":"f","birth_year":1991,"nationality":"ML","country":"ML",
        "phone":"+212612345678","languages":["bm","fr"],"point":"oujda","registered_on":"2026-10-01","arrival_year":2019,
        "household":3,"education":"lycée","vulnerabilities":["single parent"],"consents":{"assist":"oral"},
        "needs":"shelter","skills":"sewing","modules":[{"module":"awareness","on":"2026-10-05","attendance":"present"}],
        "project_idea":"a workshop","satisfaction":"yes"}"#;

    fn with(key: &str, value: Value) -> Result<CaseLine, Refused> {
        let mut line = object(LINE.as_bytes()).unwrap();
        line.insert(key.to_owned(), value);
        CaseLine::read(&line)
    }

    #[test]
    fn a_whole_line_is_read() {
        let line = CaseLine::read(&object(LINE.as_bytes()).unwrap()).unwrap();
        assert_eq!((line.point.as_str(), line.registered_on.as_str()), ("oujda", "2026-10-01"));
        assert_eq!(line.identity, b"o-17");
        assert_eq!(line.consents[0].form, "oral");
        assert_eq!(line.modules[0].module, "awareness");
        let languages = line.settings.iter().filter(|setting| setting.field == "languages").count();
        assert_eq!(languages, 2);
    }

    #[test]
    fn without_a_ref_the_order_of_keys_and_the_id_change_nothing() {
        let read = |text: &str| CaseLine::read(&object(text.as_bytes()).unwrap()).unwrap().identity;
        let base = r#""name":"A","sex":"f","birth_year":1991,"nationality":"ML","country":"ML","point":"oujda","registered_on":"2026-10-01""#;
        let one = read(&format!("{{{base},\"consents\":{{\"assist\":\"oral\"}}}}"));
        let two = read(&format!("{{\"consents\":{{ \"assist\":\"oral\"}},\"id\":\"x\",{base}}}"));
        assert_eq!(one, two);
        assert_ne!(one, read(&format!("{{{base},\"consents\":{{\"assist\":\"written\"}}}}")));
    }

    #[test]
    fn what_is_missing_or_wrong_is_named() {
        let cases: [(&str, Value, &str, &str); 15] = [
            ("name", Value::Null, "missing_field", "name"),
            ("point", "".into(), "missing_field", "point"),
            ("consents", Value::Object(serde_json::Map::new()), "missing_field", "consents.assist"),
            ("consents", "oral".into(), "wrong_type", "consents"),
            ("birth_year", "1991".into(), "wrong_type", "birth_year"),
            ("birth_year", 1991.5.into(), "wrong_type", "birth_year"),
            ("name", 5.into(), "wrong_type", "name"),
            ("name", vec!["a", "b"].into(), "wrong_type", "name"),
            ("languages", vec![1].into(), "wrong_type", "languages"),
            ("colour", "red".into(), "unknown_field", "colour"),
            ("case_number", "x".into(), "unknown_field", "case_number"),
            ("attendance", "present".into(), "unknown_field", "attendance"),
            (
                "modules",
                serde_json::json!([{"module":"awareness","on":"2026-10-05"}]),
                "missing_field",
                "modules.attendance",
            ),
            (
                "modules",
                serde_json::json!([{"module":"x","on":"2026-10-05","attendance":"present"}]),
                "",
                "modules.module",
            ),
            ("registered_on", "2026-02-30".into(), "", "registered_on"),
        ];
        for (key, value, code, field) in cases {
            let refused = with(key, value).unwrap_err();
            assert_eq!(refused.field.as_deref(), Some(field), "{key}");
            assert!(code.is_empty() || refused.code == code, "{key}: {}", refused.code);
        }
    }
}
