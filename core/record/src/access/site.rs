//! Where a record about nobody belongs: a session to its point or country, a country note to its country.

use super::AuthorFacts;
use super::written::Written;
use crate::document::Document;
use crate::place::{Country, Point};
use crate::role::Role;
use crate::value::Value;

/// The place that a record about nobody names.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Site {
    point: Option<Point>,
    country: Option<Country>,
    is_virtual: bool,
    /// The kind has a mode: only virtual ones are a mission's.
    has_mode: bool,
}

impl Site {
    /// The site of the record as it stands.
    pub(super) fn of(document: &Document) -> Self {
        let rule = document.kind().rule();
        let text = |name| rule.field(name).and_then(|field| document.value_text(field));
        Self {
            point: text("point").and_then(|point| point.parse().ok()),
            country: text("country").and_then(|country| country.parse().ok()),
            is_virtual: text("mode").as_deref() == Some("virtual"),
            has_mode: rule.field("mode").is_some(),
        }
    }

    /// The site once these writes have taken effect.
    pub(super) fn after(mut self, writes: &[Written<'_>]) -> Self {
        for written in writes {
            let text = written.value.and_then(Value::as_text);
            match written.field.name {
                "point" => self.point = text.and_then(|point| point.parse().ok()),
                "country" => self.country = text.and_then(|country| country.parse().ok()),
                "mode" => self.is_virtual = text == Some("virtual"),
                _ => {}
            }
        }
        self
    }

    /// Whether the author works there. Coordinators work in the whole programme.
    pub(super) fn is_site_of(&self, author: &AuthorFacts) -> bool {
        match author.role {
            Role::Outreach | Role::Trainer | Role::HostCounsellor => {
                self.point.is_some_and(|point| author.works_at(point))
            }
            Role::OriginCounsellor => {
                self.country.is_some_and(|country| author.works_in(country)) && (self.is_virtual || !self.has_mode)
            }
            Role::Coordinator | Role::Server => true,
            Role::Migrant | Role::Admin => false,
        }
    }
}
