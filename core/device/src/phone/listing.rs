//! Pages of a list.

use serde::Serialize;

/// Rows on one page.
pub const PAGE_ROWS: u32 = 50;

/// One page of a list, and how much there is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Listing<T> {
    /// The rows of this page.
    pub items: Vec<T>,
    /// This page, from 1.
    pub page: u32,
    /// Pages in all; 1 where the list is empty.
    pub pages: u32,
    /// Rows in all.
    pub total: u64,
}

impl<T> Listing<T> {
    /// A list that fits on one page.
    #[must_use]
    pub fn whole(items: Vec<T>) -> Self {
        let total = items.len() as u64;
        Self { items, page: 1, pages: 1, total }
    }
}

/// Which rows of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Filter {
    /// Only those of this orientation point.
    pub point: Option<String>,
    /// Only those that hold these words.
    pub search: Option<String>,
    /// Which page, from 1.
    pub page: u32,
}

impl Default for Filter {
    fn default() -> Self {
        Self { point: None, search: None, page: 1 }
    }
}
