//! RFC 9112 §9: which request is the last of its connection.

use crate::vectors;

pub(crate) const SECTIONS: &[&str] = &["RFC 9112 §9"];

#[test]
fn the_vectors_of_this_section() {
    vectors::run(SECTIONS);
}
