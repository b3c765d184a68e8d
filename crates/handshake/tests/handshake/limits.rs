//! The limits: at them, and one beyond.

use crate::vectors;

pub(crate) const SECTIONS: &[&str] = &["RFC 6585 §5"];

#[test]
fn the_vectors_of_this_section() {
    vectors::run(SECTIONS);
}
