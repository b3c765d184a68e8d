//! RFC 9112 §5: the fields.

use crate::vectors;

pub(crate) const SECTIONS: &[&str] = &["RFC 9112 §5"];

#[test]
fn the_vectors_of_this_section() {
    vectors::run(SECTIONS);
}
