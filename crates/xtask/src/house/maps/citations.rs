//! The sections that a Rust file cites: `§5.1` in a comment or a text, with its source before it (`RFC 9110 §5.5`) or without one. A
//! section without one is of the source that was named last in the same paragraph of comments, else in the head of the file, else of what
//! its crate usually speaks of.

use std::collections::BTreeSet;

use super::Clause;

/// What a file cites, and the lines on which it does not say of what.
#[derive(Debug, Default)]
pub(super) struct Citations {
    pub(super) clauses: BTreeSet<Clause>,
    pub(super) astray: Vec<usize>,
}

pub(super) fn citations(text: &str, usual: Option<&str>) -> Citations {
    let head = text.lines().take_while(|line| line.starts_with("//!")).find_map(|line| sources(line).next());
    let usual = head.or_else(|| usual.map(String::from));
    let mut citations = Citations::default();
    let (mut paragraph, mut comment) = (None, false);
    for (number, line) in text.lines().enumerate() {
        let line = line.trim_start();
        let words = line.trim_start_matches(['/', '!']).trim();
        let before = std::mem::replace(&mut comment, line.starts_with("//") && !words.is_empty());
        if !(before && comment) {
            paragraph = None;
        }
        let mut rest = line;
        while let Some((before, behind)) = rest.split_once('§') {
            let section: String =
                behind.chars().take_while(|letter| letter.is_ascii_digit() || *letter == '.').collect();
            let section = section.trim_end_matches('.');
            if let Some(source) = sources(before).last() {
                paragraph = Some(source);
            }
            rest = behind;
            if section.is_empty() {
                continue;
            }
            match paragraph.clone().or_else(|| usual.clone()) {
                Some(source) => _ = citations.clauses.insert(Clause { source, section: section.into() }),
                None => citations.astray.push(number + 1),
            }
        }
        // A source may end a line, and its section begin the next.
        paragraph = sources(rest).last().or(paragraph);
    }
    citations
}

/// The specifications that a line names, in their order.
fn sources(line: &str) -> impl Iterator<Item = String> {
    let words: Vec<&str> = line.split(|letter: char| !letter.is_ascii_alphanumeric()).collect();
    let named = words.windows(2).filter_map(|two| match two {
        ["RFC", number] if number.parse::<u16>().is_ok() => Some(format!("RFC {number}")),
        ["WHATWG", "HTML"] => Some("HTML".into()),
        _ => None,
    });
    named.collect::<Vec<_>>().into_iter()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str, usual: Option<&str>) -> (Vec<String>, Vec<usize>) {
        let found = citations(text, usual);
        (found.clauses.iter().map(ToString::to_string).collect(), found.astray)
    }

    #[test]
    fn a_section_is_of_what_was_named_last() {
        let text = "//! The rules of RFC 1 §2.\n\nfn a() {} // §3: so\n// RFC 4 §5.6, and §7. (WHATWG HTML §8)\n\"RFC 4 §9.\"\n// §10\n";
        let expected = ["HTML §8", "RFC 1 §10", "RFC 1 §2", "RFC 1 §3", "RFC 4 §5.6", "RFC 4 §7", "RFC 4 §9"];
        assert_eq!(found(text, Some("RFC 0")).0, expected);
    }

    #[test]
    fn a_source_may_end_a_line() {
        assert_eq!(found("// As in RFC 1 §2. RFC 3\n// §4 has more.\n", None).0, ["RFC 1 §2", "RFC 3 §4"]);
    }

    #[test]
    fn a_crate_may_have_a_usual_source() {
        assert_eq!(found("//! Head.\n// §1.2.\n", Some("RFC 1")), (vec!["RFC 1 §1.2".into()], vec![]));
        assert_eq!(found("//! Head.\n// §1.2, `RFC number §section`\n", None), (vec![], vec![2]));
    }
}
