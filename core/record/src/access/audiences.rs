//! The audiences of a record. They follow from its kind and from what the server ruled of its case.

use std::collections::BTreeSet;

use foras_wire::id::RecordId;

use crate::audience::Audience;
use crate::document::Document;
use crate::event::Scope;
use crate::kind::{CountryRule, Kind};
use crate::place::{Country, Place, Point};
use crate::standing::Standing;

/// Who sees a record of `kind`. `standing` is that of its case, for records of a case; a case that no ruling has placed
/// is seen by the person alone.
#[must_use]
pub fn audiences(
    kind: Kind,
    standing: Option<&Standing>,
    case: Option<RecordId>,
    document: &Document,
) -> BTreeSet<Audience> {
    let rule = kind.rule().audience;
    let mut audiences = BTreeSet::new();
    if rule.public {
        audiences.insert(Audience::Public);
    }
    let Some(case) = case else {
        if let (true, Some(point)) = (rule.programme, point_of(document)) {
            audiences.insert(Audience::Programme(point));
        }
        return audiences;
    };
    if rule.person {
        audiences.insert(Audience::Person(case));
    }
    let Some(standing) = standing else { return audiences };
    for point in &standing.points {
        let classes = [
            (rule.roster, Audience::Roster(*point)),
            (rule.casework, Audience::Casework(Place::Point(*point))),
            (rule.protection, Audience::Protection(Place::Point(*point))),
            (rule.programme, Audience::Programme(*point)),
        ];
        audiences.extend(classes.into_iter().filter(|(holds, _)| *holds).map(|(_, audience)| audience));
    }
    if let Some(country) = mission(kind, standing) {
        let place = Place::Country(country);
        audiences.insert(if rule.protection { Audience::Protection(place) } else { Audience::Casework(place) });
    }
    audiences
}

/// The country whose mission sees records of this kind.
pub(super) fn mission(kind: Kind, standing: &Standing) -> Option<Country> {
    match kind.rule().audience.country {
        CountryRule::Never => None,
        CountryRule::Proposed => standing.opened.map(|opening| opening.country),
        CountryRule::Accepted(scope) => {
            let scope: Scope = scope.parse().ok()?;
            standing.holding_country().filter(|_| standing.scopes.contains(&scope))
        }
    }
}

/// The point that a record about nobody names.
pub(super) fn point_of(document: &Document) -> Option<Point> {
    let field = document.kind().rule().field("point")?;
    document.value(field)?.as_text()?.parse().ok()
}
