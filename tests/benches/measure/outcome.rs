//! What a benchmark found: one JSON object, or one line for people.

use serde_json::{Map, Value, json};

/// What a benchmark found.
#[derive(Debug, Clone)]
pub(crate) struct Outcome {
    fields: Map<String, Value>,
}

/// Three digits behind the point are enough.
pub(crate) fn rounded(number: f64) -> Value {
    json!((number * 1_000.0).round() / 1_000.0)
}

impl Outcome {
    /// Ours against a limit measured in the same run; at most `goal` times it is the aim.
    pub(crate) fn ratio(name: &str, ours: f64, limit: f64, goal: Option<f64>) -> Self {
        let ratio = if limit > 0.0 { ours / limit } else { f64::NAN };
        let mut outcome = Self { fields: Map::new() };
        outcome.put("name", name).put("ours", rounded(ours)).put("limit", rounded(limit)).put("ratio", rounded(ratio));
        if let Some(goal) = goal {
            outcome.put("goal", goal).put("reached", ratio <= goal);
        }
        outcome
    }

    /// A value with an absolute aim: at most `goal`.
    pub(crate) fn value(name: &str, value: f64, goal: Option<f64>) -> Self {
        let mut outcome = Self { fields: Map::new() };
        outcome.put("name", name).put("value", rounded(value));
        if let Some(goal) = goal {
            outcome.put("goal", goal).put("reached", value <= goal);
        }
        outcome
    }

    /// A value with an absolute aim: at least `goal`.
    pub(crate) fn at_least(name: &str, value: f64, goal: f64) -> Self {
        let mut outcome = Self { fields: Map::new() };
        outcome.put("name", name).put("value", rounded(value)).put("goal", goal).put("reached", value >= goal);
        outcome
    }

    /// One more thing that was found.
    pub(crate) fn put(&mut self, name: &str, value: impl Into<Value>) -> &mut Self {
        self.fields.insert(name.to_owned(), value.into());
        self
    }

    /// One more thing that was found, with a limit of its own: reached only if this is too.
    pub(crate) fn also(&mut self, name: &str, value: f64, goal: f64) -> &mut Self {
        let so_far = self.fields.get("reached").and_then(Value::as_bool).unwrap_or(true);
        self.put(name, rounded(value)).put(&format!("{name}_goal"), goal).put("reached", so_far && value <= goal)
    }

    /// As one JSON object.
    pub(crate) fn json(&self) -> Value {
        Value::Object(self.fields.clone())
    }

    /// As one line for people.
    pub(crate) fn line(&self) -> String {
        let words = self.fields.iter().filter(|(name, _)| *name != "name");
        let words: Vec<String> = words.map(|(name, value)| format!("{name} {value}")).collect();
        format!("{:<14} {}", self.name(), words.join(", "))
    }

    fn name(&self) -> &str {
        self.fields.get("name").and_then(Value::as_str).unwrap_or_default()
    }
}
