//! `Page`: what a Markdown file holds for us: its links, its headings' names and its blocks of code; and its tables.

use pulldown_cmark::{CodeBlockKind, Event, Options, Parser, Tag, TagEnd};

use crate::Fallible;

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

/// Rows of cells; the first is the head.
pub(crate) type Table = Vec<Vec<Cell>>;

/// A cell's text, what of it is code, and what of it leads where.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Cell {
    pub(crate) text: String,
    /// Code that is no link.
    pub(crate) codes: Vec<String>,
    pub(crate) links: Vec<Link>,
}

/// A link in a cell.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Link {
    pub(crate) text: String,
    pub(crate) to: String,
}

/// The tables of a page.
pub(crate) fn tables(text: &str) -> Vec<Table> {
    let (mut tables, mut cell): (Vec<Table>, Option<Cell>) = (Vec::new(), None);
    let mut link: Option<Link> = None;
    for event in Parser::new_ext(text, Options::ENABLE_TABLES) {
        match event {
            Event::Start(Tag::Table(_)) => tables.push(Table::new()),
            Event::Start(Tag::TableHead | Tag::TableRow) => {
                if let Some(table) = tables.last_mut() {
                    table.push(Vec::new());
                }
            }
            Event::Start(Tag::TableCell) => cell = Some(Cell::default()),
            Event::End(TagEnd::TableCell) => {
                if let Some(row) = tables.last_mut().and_then(|table| table.last_mut()) {
                    row.extend(cell.take());
                }
            }
            Event::Start(Tag::Link { dest_url, .. }) => {
                link = Some(Link { text: String::new(), to: dest_url.to_string() });
            }
            Event::End(TagEnd::Link) => {
                if let (Some(cell), Some(link)) = (&mut cell, link.take()) {
                    cell.links.push(link);
                }
            }
            Event::Text(ref text) | Event::Code(ref text) => {
                let Some(cell) = &mut cell else { continue };
                cell.text.push_str(text);
                if let Some(link) = &mut link {
                    link.text.push_str(text);
                } else if let Event::Code(code) = event {
                    cell.codes.push(code.to_string());
                }
            }
            _ => {}
        }
    }
    tables
}

/// A heading's name, as the usual viewers of a repository make it.
fn anchor(heading: &str) -> String {
    let kept = heading.trim().chars().filter(|letter| letter.is_alphanumeric() || " -_".contains(*letter));
    kept.flat_map(char::to_lowercase).map(|letter| if letter == ' ' { '-' } else { letter }).collect()
}

/// A page whose text between two marks is another; the marks stay.
pub(crate) fn replace_between(page: &str, [begin, end]: [&str; 2], text: &str) -> Fallible<String> {
    let (before, rest) = page.split_once(begin).ok_or_else(|| format!("no {}", begin.trim_end()))?;
    let (_, after) = rest.split_once(end).ok_or_else(|| format!("no {end}"))?;
    Ok(format!("{before}{begin}{text}{end}{after}"))
}

#[cfg(test)]
mod tests {
    use super::{Block, Cell, Link, Page, replace_between, tables};

    #[test]
    fn a_page_is_taken_apart() {
        let page = Page::parse(
            "# What `it` does, & why\n\n[a](b.md#c) ![d](e.png) `[no](link)` [f][g]\n\n[g]: h.md\n\n```sh\n[no](link)\ntwo\n```\n",
        );
        assert_eq!(page.links, ["b.md#c", "e.png", "h.md"]);
        assert_eq!(page.anchors, ["what-it-does--why"]);
        assert_eq!(page.blocks, [Block { language: "sh".into(), text: "[no](link)\ntwo\n".into() }]);
    }

    #[test]
    fn a_table_is_rows_of_cells() {
        let cell = |text: &str, codes: &[&str]| Cell {
            text: text.into(),
            codes: codes.iter().map(|code| (*code).to_owned()).collect(),
            links: Vec::new(),
        };
        let found = tables("text\n\n| a | b |\n|---|---|\n| `c`, d `e` | |\n\nmore `text`\n");
        assert_eq!(found, [[[cell("a", &[]), cell("b", &[])], [cell("c, d e", &["c", "e"]), cell("", &[])]]]);
    }

    #[test]
    fn a_cell_may_lead_somewhere() {
        let found = tables("| a |\n|---|\n| [`b`](c.rs), `d` and [e](f) |\n");
        let link = |text: &str, to: &str| Link { text: text.into(), to: to.into() };
        let expected =
            Cell { text: "b, d and e".into(), codes: vec!["d".into()], links: vec![link("b", "c.rs"), link("e", "f")] };
        assert_eq!(found[0][1], [expected]);
    }

    #[test]
    fn what_stands_between_two_marks_is_replaced() {
        assert_eq!(replace_between("a<b>old</b>c", ["<b>", "</b>"], "new").unwrap(), "a<b>new</b>c");
        assert!(replace_between("a<b>old", ["<b>", "</b>"], "new").is_err());
    }
}
