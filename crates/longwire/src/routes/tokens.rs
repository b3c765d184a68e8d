//! `/tokens?text=…`: the text, word by word, as a language model answers. Events named `token`, then one named `done`.

use std::time::Duration;

use longwire_reactor::{CloseCode, Event, Id, Line, Out, Reply, Request};

const PACE: Duration = Duration::from_millis(35);
/// In bytes and in words. A request that is sent once keeps us at work for as long as its text is: a timer and a packet for each word.
const LONGEST: usize = 3_000;
const MOST_WORDS: usize = 300;

/// A text that is being said.
#[derive(Debug)]
pub(crate) struct Speech {
    text: String,
    /// Where the next word begins, and how many were said before it.
    at: usize,
    said: usize,
}

/// The speech that a request asks for, or why there is none.
pub(crate) fn request(request: &Request) -> Result<Speech, Reply> {
    let text = request.query("text").filter(|text| !text.trim().is_empty()).ok_or_else(missing)?;
    if is_too_long(&text) {
        return Err(Reply::status(414));
    }
    let mut speech = Speech { text: text.into_owned(), at: 0, said: 0 };
    // Who was cut off goes on behind the last word that it got; who has them all need not come back: 204 tells it so.
    if let Some(last) = request.last_event_id().and_then(|id| id.parse().ok()) {
        while speech.said < last && speech.next_word().is_some() {}
        if speech.at == speech.text.len() {
            return Err(Reply::status(204));
        }
    }
    Ok(speech)
}

fn is_too_long(text: &str) -> bool {
    text.len() > LONGEST || text.split_whitespace().count() > MOST_WORDS
}

fn missing() -> Reply {
    Reply::text("text is missing: /tokens?text=hello\n").with_status(400)
}

impl Speech {
    /// Says the next word and comes back, or says that it is done.
    pub(crate) fn go_on(&mut self, out: &mut Out) {
        let Some((start, end)) = self.next_word() else {
            let count = self.said.to_string();
            out.send(Event::data(&count).name(Line::literal("done")));
            return out.close(CloseCode::NORMAL, "");
        };
        let id = self.said.to_string();
        let id = Id::new(&id).expect("digits are an id");
        out.send(Event::data(&self.text[start..end]).name(Line::literal("token")).id(id));
        out.wake_after(PACE);
    }

    /// The next word, with the blanks behind it.
    fn next_word(&mut self) -> Option<(usize, usize)> {
        let rest = &self.text[self.at..];
        if rest.is_empty() {
            return None;
        }
        let word = rest.find(char::is_whitespace).unwrap_or(rest.len());
        let blank = rest[word..].find(|character: char| !character.is_whitespace()).unwrap_or(rest.len() - word);
        let start = self.at;
        (self.at, self.said) = (start + word + blank, self.said + 1);
        Some((start, self.at))
    }
}

#[cfg(test)]
mod tests {
    use super::{LONGEST, MOST_WORDS, Speech, is_too_long};

    #[test]
    fn a_text_has_so_many_bytes_and_so_many_words() {
        assert!(!is_too_long(&"a ".repeat(MOST_WORDS)) && is_too_long(&"a ".repeat(MOST_WORDS + 1)));
        assert!(!is_too_long(&"a".repeat(LONGEST)) && is_too_long(&"a".repeat(LONGEST + 1)));
    }

    #[test]
    fn words_keep_their_blanks_and_nothing_is_lost() {
        for text in ["one two  three", " lead", "trail ", "…\u{a0}x\ny", "word"] {
            let mut speech = Speech { text: text.into(), at: 0, said: 0 };
            let mut joined = String::new();
            while let Some((start, end)) = speech.next_word() {
                joined.push_str(&speech.text[start..end]);
            }
            assert_eq!(joined, text);
        }
    }
}
