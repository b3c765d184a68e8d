//! docs/one-connection.md, executed: what the page says that a client sends is sent, what it says that the server answers must
//! come, byte for byte and write for write, and every row of a frame or of a stream must say what its bytes say.

mod app;
mod page;
mod says;

use std::collections::BTreeMap;
use std::time::Duration;

use longwire_reactor::sys::sim::Client;
use longwire_reactor::{Deflate, Server};

use self::app::Walk;
use self::page::{Row, Segment, Sender, Sent, Wrong, segments};
use self::says::{EventSource, Frames};
use crate::stage::Stage;

const PAGE: &str = include_str!("../../../../../docs/one-connection.md");

/// One connection, seen from its client.
struct Wire {
    client: Client,
    speaks: Speaks,
    client_frames: Frames,
    server_frames: Frames,
    client_finished: bool,
    server_finished: bool,
}

/// What is spoken behind the heads.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Speaks {
    Head,
    Frames,
    Stream,
    Nothing,
}

/// The page on its way through the loop.
struct Play {
    stage: Stage<Walk>,
    wires: BTreeMap<String, Wire>,
    browser: EventSource,
    /// After how long the browser comes back, if its stream has ended.
    comes_back: Option<Duration>,
    /// How often the server has written what the page has not told yet.
    untold: u64,
    /// The segments so far, for those that are sent again.
    sent: BTreeMap<String, Vec<Row>>,
}

impl Play {
    fn new() -> Self {
        let stage = Stage::built(Server::default().deflate(Deflate::DEFAULT), Walk);
        Self {
            stage,
            wires: BTreeMap::new(),
            browser: EventSource::new(),
            comes_back: None,
            untold: 0,
            sent: BTreeMap::new(),
        }
    }

    fn all(mut self, segments: &[Segment]) -> Result<(), Wrong> {
        for segment in segments {
            self.segment(segment).map_err(|wrong| format!("segment {}: {wrong}", segment.name))?;
        }
        self.nothing_untold()?;
        for (name, wire) in &self.wires {
            let Wire { client, client_finished, server_finished, .. } = wire;
            let whole = wire.client_frames.is_between() && wire.server_frames.is_between();
            let ended = *client_finished && *server_finished && client.is_closed() && client.unread() == 0;
            if !ended || !whole || client.was_reset() {
                return Err(format!("connection {name} has not come to its end"));
            }
        }
        Ok(())
    }

    fn segment(&mut self, segment: &Segment) -> Result<(), Wrong> {
        let segment = self.written_out(segment)?;
        let stage = &self.stage;
        self.wires.entry(segment.connection().to_owned()).or_insert_with(|| Wire {
            client: stage.connect(),
            speaks: Speaks::Head,
            client_frames: Frames::default(),
            server_frames: Frames::default(),
            client_finished: false,
            server_finished: false,
        });
        match segment.sender {
            Sender::Client => self.client_sends(&segment)?,
            Sender::Server => self.server_sends(&segment)?,
        }
        self.read_rows(&segment)?;
        self.sent.insert(segment.name, segment.rows);
        Ok(())
    }

    /// With what stands for an earlier segment written out.
    fn written_out(&self, segment: &Segment) -> Result<Segment, Wrong> {
        let mut rows = Vec::new();
        for row in &segment.rows {
            match &row.sent {
                Sent::Again(name) => {
                    rows.extend(self.sent.get(name).ok_or("there is no such segment")?.iter().cloned());
                }
                _ => rows.push(row.clone()),
            }
        }
        Ok(Segment { rows, ..segment.clone() })
    }

    fn wire(&mut self, segment: &Segment) -> &mut Wire {
        self.wires.get_mut(segment.connection()).expect("it is connected")
    }

    fn client_sends(&mut self, segment: &Segment) -> Result<(), Wrong> {
        self.nothing_untold()?;
        self.pass(segment.later);
        self.nothing_untold()?;
        let bytes = bytes(segment);
        let (asks, before) = (bytes.starts_with(b"GET "), self.stage.world.calls());
        if let Some(wait) = self.comes_back.take_if(|_| asks)
            && wait != Duration::from_secs(segment.later)
        {
            return Err(format!("it was told to come back after {wait:?}"));
        }
        let wire = self.wire(segment);
        wire.client.send(&bytes);
        if segment.has(&Sent::Fin) {
            wire.client.finish();
            wire.client_finished = true;
        }
        self.stage.settle();
        self.untold += (self.stage.world.calls() - before).writes;
        Ok(())
    }

    fn server_sends(&mut self, segment: &Segment) -> Result<(), Wrong> {
        let expected = bytes(segment);
        let breaks = segment.has(&Sent::Reset);
        if breaks {
            // As far as the bytes come before the line breaks.
            self.wire(segment).client.set_window(expected.len());
        }
        self.pass(segment.later);
        let wire = self.wire(segment);
        let came = wire.client.receive();
        wire.server_finished |= segment.has(&Sent::Fin);
        let finished = wire.server_finished == wire.client.is_finished();
        if breaks {
            wire.client.reset();
            (wire.client_finished, wire.server_finished) = (true, true);
            self.stage.settle();
        }
        // A write that the line did not take as a whole was tried again.
        let told = u64::from(!expected.is_empty());
        self.untold =
            if breaks { 0 } else { self.untold.checked_sub(told).ok_or("the server has not written again")? };
        if came != expected {
            return Err(format!("the server sends {:?}, {came:02x?}", String::from_utf8_lossy(&came)));
        }
        if finished { Ok(()) } else { Err("its FIN comes at another place".into()) }
    }

    fn pass(&mut self, seconds: u64) {
        if seconds > 0 {
            let before = self.stage.world.calls();
            self.stage.pass(Duration::from_secs(seconds));
            self.untold += (self.stage.world.calls() - before).writes;
        }
    }

    /// The page has told everything that the server has said.
    fn nothing_untold(&self) -> Result<(), Wrong> {
        let told = self
            .wires
            .values()
            .all(|wire| wire.client.on_its_way() == 0 && wire.client.is_finished() == wire.server_finished);
        if told && self.untold == 0 { Ok(()) } else { Err("the server has said more than the page tells".into()) }
    }

    fn read_rows(&mut self, segment: &Segment) -> Result<(), Wrong> {
        for row in &segment.rows {
            let says = self.says(segment, &row.sent).map_err(|wrong| format!("line {}: {wrong}", row.line))?;
            if let Some(says) = says.filter(|says| *says != row.says) {
                return Err(format!("line {}: it says {says:?}", row.line));
            }
        }
        let ended = segment.has(&Sent::Fin) || segment.has(&Sent::Reset);
        if segment.sender == Sender::Server && self.wire(segment).speaks == Speaks::Stream && ended {
            self.comes_back = self.browser.ended();
        }
        Ok(())
    }

    /// What a row must say, if it is not free to say it in its own words.
    fn says(&mut self, segment: &Segment, sent: &Sent) -> Result<Option<String>, Wrong> {
        let Sent::Bytes(bytes) = sent else { return Ok(None) };
        let wire = self.wires.get_mut(segment.connection()).expect("it is connected");
        match (wire.speaks, segment.sender) {
            (Speaks::Head, _) => {
                if let Some(id) = bytes.strip_prefix(b"Last-Event-ID: ")
                    && id.strip_suffix(b"\r\n") != Some(self.browser.last_event_id().as_bytes())
                {
                    return Err(format!("the browser's last event id is {:?}", self.browser.last_event_id()));
                }
                if segment.sender == Sender::Server && bytes == b"\r\n" {
                    wire.speaks = spoken(segment);
                }
                Ok(None)
            }
            (Speaks::Frames, Sender::Client) => wire.client_frames.row(bytes).map(Some),
            (Speaks::Frames, Sender::Server) => wire.server_frames.row(bytes).map(Some),
            (Speaks::Stream, Sender::Server) => self.browser.row(bytes).map(Some),
            (Speaks::Stream | Speaks::Nothing, _) => Err("nothing is spoken here".into()),
        }
    }
}

/// What a server's head begins.
fn spoken(segment: &Segment) -> Speaks {
    match &bytes(segment)[..] {
        head if head.starts_with(b"HTTP/1.1 101 ") => Speaks::Frames,
        head if head.starts_with(b"HTTP/1.1 200 ") => Speaks::Stream,
        _ => Speaks::Nothing,
    }
}

fn bytes(segment: &Segment) -> Vec<u8> {
    let bytes = segment.rows.iter().filter_map(|row| match &row.sent {
        Sent::Bytes(bytes) => Some(&bytes[..]),
        _ => None,
    });
    bytes.collect::<Vec<_>>().concat()
}

#[test]
fn every_byte_of_the_page_is_what_the_loop_hears_and_says() {
    Play::new().all(&segments(PAGE).expect("a page of segments")).expect("what the page says");
}

#[test]
fn no_byte_of_it_could_be_another() {
    let page = segments(PAGE).expect("a page of segments");
    let mut tried = 0;
    for (number, segment) in page.iter().enumerate() {
        // Of what a client asks some letters matter to nobody, such as those of its port.
        if bytes(segment).starts_with(b"GET ") {
            continue;
        }
        for (row, Row { sent, says, line }) in segment.rows.iter().enumerate() {
            let Sent::Bytes(right) = sent else { continue };
            // And of a key those that a short payload has no use for.
            let uses = match (&segment.rows[row.saturating_sub(1)].sent, says.as_str()) {
                (Sent::Bytes(second), "the masking key") => usize::from(second[0] & 0x7f),
                _ => right.len(),
            };
            for at in 0..right.len().min(uses) {
                let (mut page, mut wrong) = (page.clone(), right.clone());
                wrong[at] ^= 1;
                page[number].rows[row].sent = Sent::Bytes(wrong);
                Play::new().all(&page).expect_err(&format!("line {line}, byte {at}"));
                tried += 1;
            }
        }
    }
    assert!(tried > 1000, "{tried} bytes");
}

#[test]
fn no_line_of_it_could_be_left_out() {
    assert!(segments(PAGE).is_ok());
    let lines: Vec<&str> = PAGE.lines().collect();
    for (at, line) in lines.iter().enumerate().filter(|(_, line)| line.contains('│')) {
        let rest = [&lines[..at], &lines[at + 1..]].concat().join("\n");
        let played = segments(&rest).and_then(|page| Play::new().all(&page));
        assert_eq!(played.is_ok(), is_free(line), "line {}: {line}", at + 1);
    }
}

/// A field that a client may send or not, and bytes before the cut, which may come at any place.
fn is_free(line: &str) -> bool {
    ["\"Origin: ", "\"data: But when the\""].iter().any(|free| line.starts_with(free))
}
