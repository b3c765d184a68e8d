//! `Page`: what a Markdown file holds for us: its links, its headings' names and its blocks of code.

use pulldown_cmark::{CodeBlockKind, Event, Parser, Tag, TagEnd};

/// A page, taken apart.
#[derive(Debug, Default)]
pub(crate) struct Page {
    /// Where its links lead.
    pub(crate) links: Vec<String>,
    /// What may stand behind `#` in a link to it.
    pub(crate) anchors: Vec<String>,
    /// Its fenced blocks of code.
    pub(crate) blocks: Vec<Block>,
}

/// A fenced block of code.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Block {
    /// What stands behind the fence.
    pub(crate) language: String,
    pub(crate) text: String,
}

impl Page {
    pub(crate) fn parse(text: &str) -> Self {
        let mut page = Self::default();
        let (mut heading, mut block): (Option<String>, Option<Block>) = (None, None);
        for event in Parser::new(text) {
            match event {
                Event::Start(Tag::Link { dest_url, .. } | Tag::Image { dest_url, .. }) => {
                    page.links.push(dest_url.to_string());
                }
                Event::Start(Tag::Heading { .. }) => heading = Some(String::new()),
                Event::End(TagEnd::Heading(_)) => page.anchors.extend(heading.take().map(|heading| anchor(&heading))),
                Event::Start(Tag::CodeBlock(CodeBlockKind::Fenced(language))) => {
                    block = Some(Block { language: language.to_string(), text: String::new() });
                }
                Event::End(TagEnd::CodeBlock) => page.blocks.extend(block.take()),
                Event::Text(text) | Event::Code(text) => {
                    if let Some(block) = &mut block {
                        block.text.push_str(&text);
                    } else if let Some(heading) = &mut heading {
                        heading.push_str(&text);
                    }
                }
                _ => {}
            }
        }
        page
    }
}

/// A heading's name, as the usual viewers of a repository make it.
fn anchor(heading: &str) -> String {
    let kept = heading.trim().chars().filter(|letter| letter.is_alphanumeric() || " -_".contains(*letter));
    kept.flat_map(char::to_lowercase).map(|letter| if letter == ' ' { '-' } else { letter }).collect()
}

#[cfg(test)]
mod tests {
    use super::{Block, Page};

    #[test]
    fn a_page_is_taken_apart() {
        let page = Page::parse(
            "# What `it` does, & why\n\n[a](b.md#c) ![d](e.png) `[no](link)` [f][g]\n\n[g]: h.md\n\n```sh\n[no](link)\ntwo\n```\n",
        );
        assert_eq!(page.links, ["b.md#c", "e.png", "h.md"]);
        assert_eq!(page.anchors, ["what-it-does--why"]);
        assert_eq!(page.blocks, [Block { language: "sh".into(), text: "[no](link)\ntwo\n".into() }]);
    }
}
