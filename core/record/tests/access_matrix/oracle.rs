//! What the programme's own table of kinds says, written down a second time: by hand, in plain words, and without
//! reading the registry. Whoever changes a rule changes it in both places, on purpose.

/// Somebody, in words: role, place of work (a point, a country), whether it is the migrant of the case.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Somebody {
    pub(crate) role: &'static str,
    pub(crate) place: &'static str,
    pub(crate) own: bool,
}

/// Where a record is, in words. Empty where nothing is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct World {
    pub(crate) name: &'static str,
    /// The point that has the case, or the session.
    pub(crate) point: &'static str,
    /// Registered offline there, and not ruled yet.
    pub(crate) awaiting: &'static str,
    /// The mission to which the case is opened; the country of a session or country note.
    pub(crate) mission: &'static str,
    /// The mission accepted: these further records are covered by the consent.
    pub(crate) accepted: Option<&'static [&'static str]>,
    /// A session held at a distance.
    pub(crate) at_distance: bool,
}

/// What is tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Try {
    Create,
    Write,
    Clear,
    Overwrite,
    Delete,
    Nest,
    OtherType,
}

const EVENTS: [&str; 7] = ["registered", "transfer", "stage", "consent", "handover", "departure", "join"];

fn is_written_once(kind: &str, field: &str) -> bool {
    kind == "assessment" || kind == "case" && (EVENTS.contains(&field) || field == "ruling")
}

/// `ok`, or the code with which it is refused.
pub(crate) fn verdict(kind: &str, field: &str, attempt: Try, who: Somebody, world: World) -> &'static str {
    let prose = kind == "note" && field == "text";
    match attempt {
        Try::Delete => return "delete_not_allowed",
        Try::Nest => return "nested_object",
        Try::OtherType => return "invalid_value",
        Try::Overwrite if prose => return "invalid_value",
        Try::Overwrite if is_written_once(kind, field) => return "event_overwritten",
        // A ruling may not be cleared; an event cannot be.
        Try::Clear if kind == "case" && field == "ruling" => return "event_overwritten",
        Try::Clear if is_written_once(kind, field) => return "invalid_value",
        _ => {}
    }
    let creating = attempt == Try::Create;
    let may = match kind {
        "session" | "module" | "country_note" | "feedback" => about_nobody(kind, field, attempt, who, world),
        _ => of_a_case(kind, field, creating, who, world),
    };
    if may { "ok" } else { "not_allowed" }
}

fn at_point(who: Somebody, world: World, roles: &[&str]) -> bool {
    let here = if world.point.is_empty() { world.awaiting } else { world.point };
    roles.contains(&who.role) && !here.is_empty() && who.place == here
}

/// A counsellor of the mission to which the case is opened.
fn opened(who: Somebody, world: World) -> bool {
    who.role == "origin_counsellor" && !world.mission.is_empty() && who.place == world.mission
}

/// A counsellor of the mission that holds the case.
fn holds(who: Somebody, world: World) -> bool {
    opened(who, world) && world.accepted.is_some()
}

/// The same, where the consent covers the record.
fn holds_covered(who: Somebody, world: World, record: &str) -> bool {
    opened(who, world) && world.accepted.is_some_and(|covered| covered.contains(&record))
}

fn of_a_case(kind: &str, field: &str, creating: bool, who: Somebody, world: World) -> bool {
    let casework = at_point(who, world, &["outreach", "host_counsellor"]);
    let roster = at_point(who, world, &["outreach", "host_counsellor", "trainer"]);
    let counsellor = at_point(who, world, &["host_counsellor"]);
    let migrant = who.role == "migrant" && who.own;
    match kind {
        "person" => {
            let own = migrant && ["phone", "channel", "contact_language"].contains(&field);
            casework || !creating && (holds(who, world) || own)
        }
        "badge" => casework,
        "case" if field == "ruling" => !creating && who.role == "server",
        "case" => {
            let answers = ["handover", "departure", "consent"].contains(&field) && opened(who, world);
            casework || !creating && (answers || holds(who, world) || migrant && field == "consent")
        }
        "path" => match field {
            "seat" => !creating && who.role == "server",
            "enrolment" => roster || migrant || opened(who, world),
            "attendance" => roster || opened(who, world),
            "ticket" => roster,
            _ => false,
        },
        "project" => casework || holds_covered(who, world, "project") || migrant,
        "assessment" => counsellor || holds_covered(who, world, "assessment"),
        "note" => counsellor || holds_covered(who, world, "note"),
        _ => false,
    }
}

fn about_nobody(kind: &str, field: &str, attempt: Try, who: Somebody, world: World) -> bool {
    match kind {
        "feedback" => who.role == "server",
        "module" => who.role == "coordinator" || who.role == "server",
        "country_note" => {
            // Clearing the country makes it nobody's note.
            let stays = !(attempt == Try::Clear && field == "country");
            who.role == "coordinator" || who.role == "origin_counsellor" && who.place == world.mission && stays
        }
        "session" => match who.role {
            "coordinator" => true,
            "outreach" | "trainer" | "host_counsellor" => {
                // Naming Oujda as a new session's point makes it Oujda's.
                let names_oujda = attempt == Try::Create && field == "point" && world.point.is_empty();
                let point = if names_oujda { "oujda" } else { world.point };
                who.place == point && !(attempt == Try::Clear && field == "point")
            }
            "origin_counsellor" => {
                let stays = !(attempt == Try::Clear && ["country", "mode"].contains(&field));
                who.place == world.mission && world.at_distance && stays
            }
            _ => false,
        },
        _ => false,
    }
}

/// Whether somebody may read a record.
pub(crate) fn sees(kind: &str, who: Somebody, world: World) -> bool {
    let at = |roles: &[&str]| roles.contains(&who.role) && !world.point.is_empty() && who.place == world.point;
    let coordinator = who.role == "coordinator" && !world.point.is_empty();
    let migrant = who.role == "migrant" && who.own;
    match kind {
        "session" | "module" | "country_note" => true,
        "feedback" => coordinator,
        "person" => at(&["outreach", "host_counsellor"]) || opened(who, world) || migrant,
        "badge" => at(&["outreach", "host_counsellor", "trainer"]),
        "case" => at(&["outreach", "host_counsellor"]) || opened(who, world) || migrant || coordinator,
        "path" => at(&["outreach", "host_counsellor", "trainer"]) || opened(who, world) || migrant || coordinator,
        "project" => at(&["outreach", "host_counsellor"]) || holds_covered(who, world, "project") || migrant,
        "assessment" => at(&["host_counsellor"]) || holds_covered(who, world, "assessment"),
        "note" => at(&["outreach", "host_counsellor"]) || holds_covered(who, world, "note"),
        _ => false,
    }
}
