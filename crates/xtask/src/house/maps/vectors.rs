//! The vectors of docs/vectors, as far as the maps speak of them.

use std::collections::BTreeMap;

use serde_json::Value;

use super::Clause;
use crate::Fallible;
use crate::repository::Repository;

/// A vector: which section it is of, and whether it shows what is refused.
#[derive(Debug)]
pub(super) struct Vector {
    pub(super) clause: Clause,
    pub(super) refuses: bool,
}

/// What a table means by a section without a source.
fn source_of(table: &str, section: &str) -> &'static str {
    match table {
        "frames" | "closings" | "responses" => "RFC 6455",
        "streams" => "HTML",
        "chunks" => "RFC 9112",
        // Two of its sections are of RFC 6455, whose limits and whose texts hold for what is inflated, too.
        "deflate" if ["10.4", "8.1"].contains(&section) => "RFC 6455",
        _ => "RFC 7692",
    }
}

/// Every vector by its id.
pub(super) fn all(repository: &Repository) -> Fallible<BTreeMap<String, Vector>> {
    let mut all = BTreeMap::new();
    for file in repository.files("docs/vectors", "json")? {
        let name = file.file_stem().unwrap_or_default().to_string_lossy();
        let table: Value = serde_json::from_str(&repository.read(&file)?)?;
        let Some(vectors) = table["vectors"].as_array() else { continue };
        for vector in vectors {
            let id = vector["id"].as_str().ok_or_else(|| format!("{name}: a vector without an id"))?;
            let section = vector["section"].as_str().ok_or_else(|| format!("{name}: {id} is of no section"))?;
            let (source, section) = match section.split_once(" §") {
                Some((source, section)) => (source, section),
                None => (source_of(&name, section), section),
            };
            let clause = Clause { source: source.into(), section: section.into() };
            if all.insert(id.to_owned(), Vector { clause, refuses: refuses(vector) }).is_some() {
                return Err(format!("two vectors are called {id}").into());
            }
        }
    }
    Ok(all)
}

/// Whether something is refused in it, or an offer declined.
fn refuses(vector: &Value) -> bool {
    let declines = vector["upgrade"].get("deflate").is_some_and(Value::is_null);
    declines
        || [&vector["error"], &vector["refused"], &vector["fault"], &vector["upgrade"]["refused"]]
            .into_iter()
            .any(|one| !one.is_null())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_vector_refuses_or_accepts() {
        let refusing = [
            json!({"error": "Unmasked"}),
            json!({"refused": {"by": "BadHost"}}),
            json!({"fault": "Accept"}),
            json!({"upgrade": {"refused": {"by": "KeyMissing"}}}),
            json!({"upgrade": {"deflate": null}}),
        ];
        assert!(refusing.iter().all(refuses));
        let accepting =
            [json!({"events": []}), json!({"upgrade": {"deflate": "permessage-deflate"}}), json!({"upgrade": {}})];
        assert!(!accepting.iter().any(refuses));
    }

    #[test]
    fn every_table_has_a_source() {
        assert_eq!(source_of("frames", "5.1"), "RFC 6455");
        assert_eq!(source_of("deflate", "6.1"), "RFC 7692");
        assert_eq!(source_of("deflate", "8.1"), "RFC 6455");
        assert_eq!(source_of("streams", "9.2.6"), "HTML");
    }
}
