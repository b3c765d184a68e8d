//! What a Rust file defines, by the names that the pages of docs/ call it.

use std::collections::BTreeSet;
use std::path::Path;

use syn::{ImplItem, Item, Type};

use crate::Fallible;

/// The functions and types of a file: a type as `Type`, a function of it as `Type::name`, any other as `file::name`.
pub(crate) fn items(file: &Path, text: &str) -> Fallible<BTreeSet<String>> {
    let stem = file.file_stem().unwrap_or_default().to_string_lossy();
    let mut items = BTreeSet::new();
    for item in syn::parse_file(text).map_err(|error| format!("{}: {error}", file.display()))?.items {
        match item {
            Item::Fn(function) => {
                items.insert(format!("{stem}::{}", function.sig.ident));
            }
            Item::Struct(one) => {
                items.insert(one.ident.to_string());
            }
            Item::Enum(one) => {
                items.insert(one.ident.to_string());
            }
            // A type may come out of a macro: what is implemented for it is there.
            Item::Impl(block) => {
                let Type::Path(of) = &*block.self_ty else { continue };
                let Some(of) = of.path.segments.last() else { continue };
                items.insert(of.ident.to_string());
                for item in &block.items {
                    if let ImplItem::Fn(function) = item {
                        items.insert(format!("{}::{}", of.ident, function.sig.ident));
                    }
                }
            }
            _ => {}
        }
    }
    Ok(items)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn functions_are_named_by_their_type_or_by_their_file() {
        let text =
            "fn a() {} impl<'a> B<'a> { pub(crate) fn c() {} const D: u8 = 0; } impl e::F for G { fn h(&self) {} }
            trait I { fn j(); } mod tests { fn k() {} } struct L(u8); enum M { N }";
        let found = items(Path::new("crates/x/src/file.rs"), text).expect("Rust");
        assert_eq!(found, ["file::a", "B", "B::c", "G", "G::h", "L", "M"].map(String::from).into());
        assert!(items(Path::new("x.rs"), "fn (").is_err());
    }
}
