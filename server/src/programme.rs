//! What a new data folder begins with: the eight missions with a demonstration authorisation each, and the five modules.

use foras_record::document::{Edit, Write};
use foras_record::identity;
use foras_record::kind::Kind;
use foras_record::place::Country;
use foras_record::ruling::{Authorisation, Destinations};
use foras_record::value;
use foras_wire::id::RecordId;
use rusqlite::Connection;

use crate::error::ServerError;
use crate::server::Server;
use crate::storage::{records, settings};

/// Reference of the built-in authorisations: they are for demonstrations, and say so.
const DEMONSTRATION: &str = "DEMONSTRATION";
/// The last day on which they are in force.
const DEMONSTRATION_ENDS: &str = "2030-12-31";

/// The five modules, with their titles in French and English.
const MODULES: [(&str, &str, &str); 5] = [
    ("awareness", "Sensibilisation", "Awareness"),
    ("life_soft_skills", "Compétences de vie", "Life and soft skills"),
    ("entrepreneurship_marketing", "Entrepreneuriat et marketing", "Entrepreneurship and marketing"),
    ("agriculture", "Agriculture", "Agriculture"),
    ("crafts", "Artisanat", "Crafts"),
];

/// Adds what is not there yet. Nothing that was changed since is touched.
pub(crate) fn begin(server: &Server, now_ms: i64) -> Result<(), ServerError> {
    server.record(now_ms, |intake| {
        let known = settings::destinations(intake.db())?;
        for country in Country::MISSIONS {
            if !known.iter().any(|mission| mission.country == country.code()) {
                let authorisation = settings::Authorisation {
                    country: country.code().to_owned(),
                    reference: format!("{DEMONSTRATION}-{country}"),
                    expires_on: DEMONSTRATION_ENDS.to_owned(),
                };
                settings::put_destination(intake.db(), &authorisation)?;
            }
        }
        for (module, french, english) in MODULES {
            let record = identity::record(Kind::Module, RecordId::derived("foras module", module.as_bytes()), None);
            if records::get(intake.db(), &record.key)?.is_none() {
                let edits = module_edits(module, french, english)?;
                intake.write_as_server(&record, Kind::Module, &edits, now_ms)?;
            }
        }
        Ok(())
    })
}

fn module_edits(module: &str, french: &str, english: &str) -> Result<Vec<Edit>, ServerError> {
    const BAD: ServerError = ServerError::Corrupt("the registry does not know the modules");
    let mut edits = Vec::new();
    for (name, item, text) in [
        ("module", None, module),
        ("title", Some("fr"), french),
        ("title", Some("en"), english),
        ("sessions_to_complete", None, "1"),
    ] {
        let field = Kind::Module.rule().field(name).ok_or(BAD)?;
        let write = Write::Put(value::check(&field.value, text).map_err(|_| BAD)?);
        edits.push(Edit { field, item: item.map(str::to_owned), write });
    }
    Ok(edits)
}

/// The missions to which cases may be handed over.
pub(crate) fn destinations(db: &Connection) -> Result<Destinations, ServerError> {
    const BAD: ServerError = ServerError::Corrupt("a stored authorisation does not read");
    let mut destinations = Destinations::default();
    for mission in settings::destinations(db)? {
        let authorisation =
            Authorisation { reference: mission.reference, expires_on: mission.expires_on.parse().map_err(|_| BAD)? };
        destinations.0.insert(mission.country.parse().map_err(|_| BAD)?, authorisation);
    }
    Ok(destinations)
}
