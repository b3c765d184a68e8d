//! RFC 9112 §6: where the body ends; and Expect, which is about bodies.

use crate::vectors;

pub(crate) const SECTIONS: &[&str] = &["RFC 9112 §6", "RFC 9110 §10.1.1"];

#[test]
fn the_vectors_of_this_section() {
    vectors::run(SECTIONS);
}
