//! RFC 9112 §3: the request line and Host.

use crate::vectors;

pub(crate) const SECTIONS: &[&str] = &["RFC 9112 §3", "RFC 9110 §9.3.6"];

#[test]
fn the_vectors_of_this_section() {
    vectors::run(SECTIONS);
}
