//! RFC 9112 §2: messages, line ends and versions; and RFC 9110 §5.5 and §15.6.6, which say the rest about them.

use crate::vectors;

pub(crate) const SECTIONS: &[&str] = &["RFC 9112 §2", "RFC 9110 §5.5", "RFC 9110 §15.6.6"];

#[test]
fn the_vectors_of_this_section() {
    vectors::run(SECTIONS);
}
