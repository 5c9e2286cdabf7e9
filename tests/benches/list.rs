//! `list`: the first fifty people by name, and by search text; wall time, the best of several, since others share the
//! machine.

use std::time::Instant;

use foras::phone::{Filter, Phone};
use foras_record::role::Role;

use crate::input::programme;
use crate::measure::outcome::{Outcome, rounded};
use crate::workload::Workload;

/// Milliseconds at most: by name, and by search text.
const BY_NAME_MS: f64 = 0.5;
const BY_SEARCH_MS: f64 = 5.0;
const RUNS: usize = 40;
/// What people type: the beginning of a name, a name within, a phone's end, two words, something that nobody has.
const SEARCHES: [&str; 5] = ["fanta", "traw", "0612", "mari koul", "xyzzy"];

pub(crate) fn run(workload: &mut Workload) -> Outcome {
    let programme = workload.programme();
    let mut phone = programme.phone(Role::HostCounsellor);
    programme::sync(&mut phone.phone);
    let by_name = best_ms(&mut phone.phone, None);
    let searches = SEARCHES.map(|text| best_ms(&mut phone.phone, Some(text)));
    let by_search = searches.into_iter().fold(0.0, f64::max);
    let mut outcome = Outcome::value("list", by_name, Some(BY_NAME_MS));
    outcome.put("unit", "ms").also("by_search_ms", by_search, BY_SEARCH_MS);
    let each: Vec<_> = SEARCHES.iter().zip(searches).map(|(text, ms)| serde_json::json!([text, rounded(ms)])).collect();
    outcome.put("searches", each).put("cases", workload.cases());
    outcome
}

fn best_ms(phone: &mut Phone, search: Option<&str>) -> f64 {
    let filter = Filter { search: search.map(str::to_owned), page: 1, ..Filter::default() };
    let run = |_| {
        let started = Instant::now();
        let listed = phone.list("people", &filter).expect("a list");
        let elapsed = started.elapsed();
        assert!(search.is_some() || !listed.items.is_empty());
        elapsed.as_secs_f64() * 1_000.0
    };
    (0..RUNS).map(run).fold(f64::INFINITY, f64::min)
}
