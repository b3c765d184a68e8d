//! docs/threat-model.md names tests that exist.

use super::named_tests;
use crate::Fallible;
use crate::markdown::tables;
use crate::repository::Repository;

const PAGE: &str = "docs/threat-model.md";

pub(super) fn complaints(repository: &Repository) -> Fallible<Vec<String>> {
    named_tests::complaints(repository, PAGE, &tables(&repository.read(PAGE)?))
}
