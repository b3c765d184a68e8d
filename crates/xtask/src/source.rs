//! `Source`: a Rust file as the words that the compiler sees, so that a word in a comment or in a text is no use of it.

use proc_macro2::{Delimiter, TokenStream, TokenTree};

use crate::Fallible;

/// The words of a file in order, each with its line. Brackets, operators' characters and literals are words, too.
#[derive(Debug)]
pub(crate) struct Source {
    words: Vec<(String, usize)>,
}

impl Source {
    /// Every word.
    pub(crate) fn whole(text: &str) -> Fallible<Self> {
        Self::read(text, false)
    }

    /// The words that are shipped: without items that are compiled for tests only.
    pub(crate) fn shipped(text: &str) -> Fallible<Self> {
        Self::read(text, true)
    }

    fn read(text: &str, shipped: bool) -> Fallible<Self> {
        let tokens: TokenStream = text.parse().map_err(|error| format!("this is no Rust: {error}"))?;
        let mut words = Vec::new();
        collect(tokens, shipped, &mut words);
        Ok(Self { words })
    }

    /// The lines on which these words, parted by blanks, follow each other.
    pub(crate) fn lines_with<'a>(&'a self, words: &str) -> impl Iterator<Item = usize> + 'a {
        let wanted: Vec<String> = words.split(' ').map(String::from).collect();
        let positions = 0..(self.words.len() + 1).saturating_sub(wanted.len());
        let hit = move |at: &usize| self.words[*at..].iter().zip(&wanted).all(|((word, _), wanted)| word == wanted);
        positions.filter(hit).map(|at| self.words[at].1)
    }

    /// The names of its tests.
    pub(crate) fn tests(&self) -> Vec<&str> {
        let (mut tests, mut is_test) = (Vec::new(), false);
        for four in self.words.windows(4) {
            let four = four.iter().map(|(word, _)| word.as_str()).collect::<Vec<_>>();
            is_test |= four == ["#", "[", "test", "]"];
            if is_test && four[0] == "fn" {
                tests.push(four[1]);
                is_test = false;
            }
        }
        tests
    }

    pub(crate) fn has(&self, words: &str) -> bool {
        self.lines_with(words).next().is_some()
    }
}

fn collect(tokens: TokenStream, shipped: bool, words: &mut Vec<(String, usize)>) {
    let mut tokens = tokens.into_iter().peekable();
    while let Some(token) = tokens.next() {
        if shipped && is_hash(&token) && tokens.peek().is_some_and(is_for_tests) {
            tokens.next();
            // The item ends with its braces or with a semicolon.
            while tokens.next().is_some_and(|token| !ends_an_item(&token)) {}
            continue;
        }
        let line = token.span().start().line;
        match token {
            TokenTree::Group(group) => {
                let (open, close) = match group.delimiter() {
                    Delimiter::Parenthesis => ("(", ")"),
                    Delimiter::Brace => ("{", "}"),
                    Delimiter::Bracket => ("[", "]"),
                    Delimiter::None => ("", ""),
                };
                words.push((open.into(), line));
                collect(group.stream(), shipped, words);
                words.push((close.into(), group.span_close().start().line));
            }
            other => words.push((other.to_string(), line)),
        }
    }
}

fn is_hash(token: &TokenTree) -> bool {
    matches!(token, TokenTree::Punct(punct) if punct.as_char() == '#')
}

fn is_for_tests(token: &TokenTree) -> bool {
    matches!(token, TokenTree::Group(group) if group.stream().to_string().replace(' ', "") == "cfg(test)")
}

fn ends_an_item(token: &TokenTree) -> bool {
    match token {
        TokenTree::Group(group) => group.delimiter() == Delimiter::Brace,
        TokenTree::Punct(punct) => punct.as_char() == ';',
        TokenTree::Ident(_) | TokenTree::Literal(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::Source;

    const TEXT: &str = "//! std::fs\nuse std::fs; // std::io\n/* std::io */ fn f() { \"std::io\"; }\n\
                        #[cfg(test)]\nmod tests { use std::io; }\n#[cfg(test)] use std::net;\nuse std::path;";

    #[test]
    fn comments_and_texts_are_no_use_of_a_word() {
        let source = Source::whole(TEXT).expect("Rust");
        assert_eq!(source.lines_with("std : :").collect::<Vec<_>>(), [2, 5, 6, 7]);
        assert!(source.has("use std : : path ;") && !source.has("fs ; use"));
    }

    #[test]
    fn what_is_for_tests_is_not_shipped() {
        let source = Source::shipped(TEXT).expect("Rust");
        assert_eq!(source.lines_with("std : :").collect::<Vec<_>>(), [2, 7]);
    }

    #[test]
    fn tests_are_found_wherever_they_stand() {
        let source = Source::whole(
            "#[test] fn a() {} fn no() {} mod m { proptest! { #[test]\n#[ignore] fn b(x in 0..9) {} } } // #[test] fn c",
        );
        assert_eq!(source.expect("Rust").tests(), ["a", "b"]);
    }

    #[test]
    fn attributes_are_words_like_others() {
        let source =
            Source::whole("#![forbid(unsafe_code)]\n#[cfg(feature = \"alloc\")]\nextern crate alloc;").expect("Rust");
        assert!(source.has("# ! [ forbid ( unsafe_code ) ]"));
        assert!(source.has("# [ cfg ( feature = \"alloc\" ) ] extern crate alloc ;"));
    }
}
