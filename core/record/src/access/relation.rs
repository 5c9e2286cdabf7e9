//! How an author relates to a record: what the writers of its fields are matched against.

use std::collections::BTreeSet;

use foras_wire::id::RecordId;

use super::AuthorFacts;
use super::audiences::mission;
use super::site::Site;
use crate::audience::Audience;
use crate::document::Document;
use crate::kind::Kind;
use crate::place::Place;
use crate::role::Role;
use crate::standing::Standing;

/// How an author relates to a record.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Relation {
    /// The author works where the record is held.
    pub at_place: bool,
    /// The author's mission has the case opened to it.
    pub opened: bool,
    /// The author's mission holds the case, and the consent covers this kind.
    pub holder: bool,
    /// It is the migrant's own.
    pub own: bool,
}

impl Relation {
    /// The relation of `author` to a record of `kind`: of a case with this standing, or about nobody and as it stands
    /// in `document`. Whoever registered a case offline relates to it before any ruling.
    #[must_use]
    pub fn of(author: &AuthorFacts, kind: Kind, case: Option<(RecordId, &Standing)>, document: &Document) -> Self {
        match case {
            Some((case, standing)) => Self::to_case(author, kind, case, standing),
            None => {
                let at_place = !document.is_written() || Site::of(document).is_site_of(author);
                Self { at_place, ..Self::default() }
            }
        }
    }

    fn to_case(author: &AuthorFacts, kind: Kind, case: RecordId, standing: &Standing) -> Self {
        let awaiting = standing.awaiting_point.filter(|_| standing.points.is_empty());
        let at_point = standing.points.iter().copied().chain(awaiting).any(|point| author.works_at(point));
        let sees = mission(kind, standing).is_some_and(|country| author.works_in(country));
        let origin = author.role == Role::OriginCounsellor;
        Self {
            at_place: author.role == Role::Server || at_point,
            opened: origin && sees,
            holder: origin && sees && standing.holding_country().is_some_and(|country| author.works_in(country)),
            own: author.role == Role::Migrant && author.own_case == Some(case),
        }
    }

    /// The relation as a device knows it that holds no case file, as a trainer's: from the audiences under which it
    /// holds records of the case.
    #[must_use]
    pub fn of_audiences(author: &AuthorFacts, held: &BTreeSet<Audience>) -> Self {
        let at_place = held.iter().any(|audience| match audience {
            Audience::Roster(point) | Audience::Programme(point) => author.works_at(*point),
            Audience::Casework(Place::Point(point)) | Audience::Protection(Place::Point(point)) => {
                author.works_at(*point)
            }
            _ => false,
        });
        let own = author.own_case.is_some_and(|case| held.contains(&Audience::Person(case)));
        Self { at_place, own: own && author.role == Role::Migrant, ..Self::default() }
    }

    /// Whether the author's place once saw the case and does not any more: a late edit is then set aside for a
    /// supervisor, not refused.
    #[must_use]
    pub fn is_former(author: &AuthorFacts, standing: &Standing) -> bool {
        standing.former.iter().any(|place| author.places.contains(place))
    }
}
