#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

//! The access matrix: every role, in every situation of a case, tries everything on every field of every kind. What the
//! library lets through is compared, cell by cell, with an oracle that was written separately.

mod attempts;
mod oracle;
mod worlds;

use foras_record::access::{self, AuthorFacts, Relation};
use foras_record::audience;
use foras_record::document::Document;
use foras_record::kind::{Identity, Kind};
use foras_record::place::{Country, Place, Point};
use foras_record::registry;
use foras_record::role::Role;
use foras_record::standing::Standing;

use attempts::attempt;
use oracle::{Try, World};
use worlds::{CASE, cases, everybody, sites};

const TRIES: [Try; 7] = [Try::Create, Try::Write, Try::Clear, Try::Overwrite, Try::Delete, Try::Nest, Try::OtherType];

/// The situations in which a record of this kind can be.
fn worlds_of(kind: Kind) -> Vec<(World, Option<Standing>)> {
    match kind.rule().identity {
        Identity::Free => sites().into_iter().map(|world| (world, None)).collect(),
        _ => cases().into_iter().map(|(world, standing)| (world, Some(standing))).collect(),
    }
}

/// Whether a device of this person holds a record of this kind, by the audiences of both.
fn holds(author: &AuthorFacts, kind: Kind, standing: Option<&Standing>, document: &Document) -> bool {
    let places: Vec<Place> = author.places.iter().copied().collect();
    let granted = audience::granted(author.role, &places, author.own_case);
    let audiences = access::audiences(kind, standing, standing.map(|_| CASE), document);
    granted.iter().any(|audience| audiences.contains(audience))
}

#[test]
fn no_cell_of_the_matrix_differs_from_the_oracle() {
    let everybody = everybody();
    let (mut cells, mut allowed, mut leaks) = (0_u64, 0_u64, Vec::new());
    for rule in registry::ALL {
        for (world, standing) in worlds_of(rule.kind) {
            for field in rule.fields {
                for tried in TRIES {
                    let made = attempt(rule.kind, field, tried, world);
                    for (who, author) in &everybody {
                        let case = standing.as_ref().map(|standing| (CASE, standing));
                        let relation = Relation::of(author, rule.kind, case, &made.before);
                        let got = access::check_change(&made.change, &made.before, author, relation);
                        let got = got.map_or_else(|error| error.code(), |()| "ok");
                        let expected = oracle::verdict(rule.name, field.name, tried, *who, world);
                        cells += 1;
                        allowed += u64::from(got == "ok");
                        if got != expected {
                            leaks.push(format!(
                                "{} {} {tried:?} by {} in {:?}, {}: {got}, and not {expected}",
                                rule.name, field.name, who.role, who.place, world.name
                            ));
                        }
                    }
                }
            }
        }
    }
    println!("{cells} cells, {allowed} allowed, {} differ", leaks.len());
    assert!(leaks.is_empty(), "{} of {cells} cells differ, as:\n{}", leaks.len(), first(&leaks));
    assert!(cells >= 5_000 && allowed >= 1_000, "{cells} cells, {allowed} allowed");
}

#[test]
fn nobody_reads_what_the_oracle_does_not_show() {
    let mut leaks = Vec::new();
    for rule in registry::ALL {
        // Not the first: that places some kinds.
        let field = rule.fields.last().unwrap();
        for (world, standing) in worlds_of(rule.kind) {
            let document = attempt(rule.kind, field, Try::Write, world).before;
            for (who, author) in everybody() {
                let got = holds(&author, rule.kind, standing.as_ref(), &document);
                if got != oracle::sees(rule.name, who, world) {
                    leaks.push(format!("{} read by {} in {:?}, {}: {got}", rule.name, who.role, who.place, world.name));
                }
            }
        }
    }
    assert!(leaks.is_empty(), "{}", first(&leaks));
}

#[test]
fn nobody_writes_what_he_cannot_read() {
    for rule in registry::ALL {
        for (world, standing) in worlds_of(rule.kind) {
            for field in rule.fields {
                let made = attempt(rule.kind, field, Try::Write, world);
                for (who, author) in everybody() {
                    // Who registered a case offline writes before any audience holds it; the server holds none.
                    if who.role == "server" || !world.awaiting.is_empty() {
                        continue;
                    }
                    let case = standing.as_ref().map(|standing| (CASE, standing));
                    let relation = Relation::of(&author, rule.kind, case, &made.before);
                    if access::check_change(&made.change, &made.before, &author, relation).is_ok() {
                        let reads = holds(&author, rule.kind, standing.as_ref(), &made.before);
                        assert!(reads, "{} {} by {} {}, {}", rule.name, field.name, who.role, who.place, world.name);
                    }
                }
            }
        }
    }
}

#[test]
fn at_one_place_no_role_holds_two_audiences_of_one_record() {
    let points = Point::ALL.map(Place::Point);
    let missions = Country::MISSIONS.map(Place::Country);
    for rule in registry::ALL {
        for (world, standing) in worlds_of(rule.kind) {
            let document = attempt(rule.kind, rule.fields.last().unwrap(), Try::Write, world).before;
            let audiences = access::audiences(rule.kind, standing.as_ref(), standing.as_ref().map(|_| CASE), &document);
            for role in Role::ALL {
                for place in points.iter().chain(&missions) {
                    let own = (role == Role::Migrant).then_some(CASE);
                    let granted = audience::granted(role, &[*place], own);
                    let held: Vec<_> = granted.iter().filter(|audience| audiences.contains(audience)).collect();
                    assert!(held.len() <= 1, "{} {role} at {place}, {}: {held:?}", rule.name, world.name);
                }
            }
        }
    }
}

fn first(leaks: &[String]) -> String {
    leaks.iter().take(40).cloned().collect::<Vec<_>>().join("\n")
}
