//! The page, taken apart: segments, and their rows. It is strict, so that nothing of the page can be passed over in silence.

/// What was sent at once by one side of one connection.
#[derive(Clone, Debug)]
pub(crate) struct Segment {
    /// The connection and the segment: `1.2`.
    pub(crate) name: String,
    pub(crate) sender: Sender,
    /// Seconds that pass before.
    pub(crate) later: u64,
    pub(crate) rows: Vec<Row>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Sender {
    Client,
    Server,
}

#[derive(Clone, Debug)]
pub(crate) struct Row {
    pub(crate) sent: Sent,
    /// The second column.
    pub(crate) says: String,
    pub(crate) line: usize,
}

/// The first column.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Sent {
    Bytes(Vec<u8>),
    /// All of an earlier segment.
    Again(String),
    /// `TCP FIN`
    Fin,
    /// `TCP RST`: the line breaks.
    Reset,
}

/// What went wrong, and in which line.
pub(crate) type Wrong = String;

impl Segment {
    pub(crate) fn connection(&self) -> &str {
        self.name.split('.').next().unwrap_or_default()
    }

    pub(crate) fn has(&self, sent: &Sent) -> bool {
        self.rows.iter().any(|row| row.sent == *sent)
    }
}

/// All segments, and the picture in front of them.
pub(crate) fn segments(page: &str) -> Result<Vec<Segment>, Wrong> {
    let mut segments: Vec<Segment> = Vec::new();
    let mut picture = None;
    for (first, block) in blocks(page)? {
        match block.first().map(|line| heading(line)) {
            Some(Some((name, sender, later))) => {
                let rows = rows(first, &block[1..])?;
                segments.push(Segment { name, sender, later, rows });
            }
            _ if picture.is_none() && segments.is_empty() => picture = Some(block),
            _ => return Err(format!("line {first}: this is no segment")),
        }
    }
    let picture = picture.ok_or("there is no picture")?;
    let mut lifelines = picture.iter().filter(|line| line.contains('│')).map(|line| bars(line));
    if lifelines.next().is_none_or(|first| lifelines.any(|line| line != first)) {
        return Err("the picture's lines are not straight".into());
    }
    let drawn: Vec<String> = picture.iter().filter_map(|line| arrow(line)).collect();
    let found: Vec<String> = segments.iter().map(|segment| format!("{} {:?}", segment.name, segment.sender)).collect();
    if drawn == found { Ok(segments) } else { Err(format!("the picture has {drawn:?}, the page {found:?}")) }
}

/// A fenced block: the number of its first line, and its lines.
type Block<'p> = (usize, Vec<&'p str>);

/// The blocks of text. There are no others but one of Rust.
fn blocks(page: &str) -> Result<Vec<Block<'_>>, Wrong> {
    let mut blocks = Vec::new();
    let mut open: Option<(&str, Block<'_>)> = None;
    for (at, line) in page.lines().enumerate() {
        match (line.strip_prefix("```"), &mut open) {
            (Some(language @ ("text" | "rust")), None) => open = Some((language, (at + 2, Vec::new()))),
            (Some(""), Some(_)) => {
                blocks.extend(open.take().filter(|(language, _)| *language == "text").map(|(_, block)| block));
            }
            (Some(fence), _) => return Err(format!("line {}: a fence with {fence:?}", at + 1)),
            (None, Some((_, (_, lines)))) => lines.push(line),
            (None, None) if line.contains('│') => return Err(format!("line {}: a row outside", at + 1)),
            (None, None) => {}
        }
    }
    if open.is_some() { Err("a block has no end".into()) } else { Ok(blocks) }
}

/// `1.1  client ►`, `3.4  ◄ server, 1 s later`
fn heading(line: &str) -> Option<(String, Sender, u64)> {
    let (name, rest) = line.split_once("  ")?;
    let (sender, later) = rest.split_once(", ").map_or((rest, "0 s later"), |(sender, later)| (sender, later));
    let sender = match sender {
        "client ►" => Sender::Client,
        "◄ server" => Sender::Server,
        _ => return None,
    };
    Some((is_name(name)?, sender, later.strip_suffix(" s later")?.parse().ok()?))
}

fn is_name(name: &str) -> Option<String> {
    let (connection, segment) = name.split_once('.')?;
    let is_number = |text: &str| text.parse::<u8>().is_ok_and(|number| number > 0);
    (is_number(connection) && is_number(segment)).then(|| name.to_owned())
}

/// A line of the picture, as `1.1 Client`.
fn arrow(line: &str) -> Option<String> {
    let name = line.split_whitespace().next().and_then(is_name)?;
    let sender = match (line.contains("►│"), line.contains("│◄")) {
        (true, false) => Sender::Client,
        (false, true) => Sender::Server,
        _ => return None,
    };
    Some(format!("{name} {sender:?}"))
}

/// Rows of four columns. They stand in columns, too.
fn rows(first: usize, lines: &[&str]) -> Result<Vec<Row>, Wrong> {
    let expected = lines.first().map(|line| bars(line)).ok_or(format!("line {first}: nothing is sent"))?;
    let row = |(at, line): (usize, &&str)| {
        let number = first + 1 + at;
        let columns: Vec<&str> = line.split('│').map(str::trim).collect();
        let [bytes, says, rule, function] = columns[..] else { return Err(format!("line {number}: not four columns")) };
        if [bytes, says, rule, function].contains(&"") || bars(line) != expected {
            return Err(format!("line {number}: columns are empty, or do not stand in line"));
        }
        let sent = sent(bytes).ok_or_else(|| format!("line {number}: {bytes:?} is neither bytes nor text"))?;
        Ok(Row { sent, says: says.to_owned(), line: number })
    };
    lines.iter().enumerate().map(row).collect()
}

/// Where its bars stand.
fn bars(line: &str) -> Vec<usize> {
    line.chars().enumerate().filter(|(_, letter)| *letter == '│').map(|(at, _)| at).collect()
}

fn sent(column: &str) -> Option<Sent> {
    match column {
        "TCP FIN" => return Some(Sent::Fin),
        "TCP RST" => return Some(Sent::Reset),
        _ => {}
    }
    if let Some(name) = column.strip_prefix("as in ") {
        return is_name(name).map(Sent::Again);
    }
    let mut bytes = Vec::new();
    let mut rest = column;
    while !rest.is_empty() {
        if let Some(quoted) = rest.strip_prefix('"') {
            let (text, after) = quoted.split_once('"')?;
            if !text.bytes().all(|byte| matches!(byte, b' '..=b'~')) {
                return None;
            }
            bytes.extend_from_slice(text.as_bytes());
            rest = after.trim_start();
        } else {
            let (pair, after) = rest.split_once(' ').unwrap_or((rest, ""));
            let is_pair = pair.len() == 2 && pair.bytes().all(|digit| matches!(digit, b'0'..=b'9' | b'a'..=b'f'));
            bytes.push(u8::from_str_radix(pair, 16).ok().filter(|_| is_pair)?);
            rest = after;
        }
    }
    (!bytes.is_empty()).then_some(Sent::Bytes(bytes))
}
