//! Responses, as a guest reads them; and requests of our own, as a host does.

use longwire_reactor::handshake::Accept;

use super::squeeze::Squeeze;
use super::{Awaits, Guest};
use crate::coverage::Met;
use crate::ladder::Glimpse;
use crate::model::{Answer, Model, State};
use crate::plan::Plan;
use crate::words::Word;

/// Of a response's head, what matters here.
#[derive(Clone, Copy, Debug, Default)]
struct Response<'h> {
    status: u16,
    length: usize,
    closes: bool,
    is_stream: bool,
    extension: Option<&'h str>,
}

impl<'h> Response<'h> {
    fn parse(head: &'h str) -> Option<Self> {
        let mut lines = head.split("\r\n");
        let status = lines.next()?.strip_prefix("HTTP/1.1 ")?.get(..3)?.parse().ok()?;
        let mut response = Self { status, ..Self::default() };
        for line in lines {
            match line.split_once(": ")? {
                ("Content-Length", value) => response.length = value.parse().ok()?,
                ("Connection", value) => response.closes |= value.contains("close"),
                ("Sec-WebSocket-Extensions", value) => response.extension = Some(value),
                ("Content-Type", value) => response.is_stream |= value.starts_with("text/event-stream"),
                _ => {}
            }
        }
        Some(response)
    }
}

/// What a host makes of an offer, if anything.
const ANSWERS: &[&str] = &[
    "permessage-deflate",
    "permessage-deflate; client_no_context_takeover; client_max_window_bits=10",
    "permessage-deflate; server_no_context_takeover; server_max_window_bits=9",
];

/// Where a head ends, blank line included.
fn end_of_head(bytes: &[u8]) -> Option<usize> {
    bytes.windows(4).position(|four| four == b"\r\n\r\n").map(|at| at + 4)
}

impl Guest {
    /// Reads a response's head. Returns how many bytes that took.
    pub(super) fn read_head(&mut self, at: usize, model: &mut Model, plan: &Plan) -> Result<Option<usize>, String> {
        let Some(end) = end_of_head(&self.inbox[at..]) else { return Ok(None) };
        let head = std::str::from_utf8(&self.inbox[at..at + end - 4]).map_err(|error| error.to_string())?;
        let Some(mut response) = Response::parse(head) else { return Err(format!("this is no response: {head:?}")) };
        if self.last {
            return Err(format!("a response follows the last one: {head:?}"));
        }
        if response.status == 100 {
            model.meet(Met::Continue);
            return Ok(Some(end));
        }
        self.answers += 1;
        self.last = response.closes;
        self.frames.squeeze = response.extension.map(|answer| Squeeze::agreed(answer, false));
        let length = response.length;
        if self.headless & (1 << self.answers) > 0 {
            response.length = 0;
        }
        self.awaits = match (model.answers[self.index].front().copied(), response.status) {
            (Some(answer @ Answer::Page(_, size)), 200) if length == size => {
                Awaits::Body(response.length, Some(answer))
            }
            (Some(Answer::Head(size)), 200) if length == size => Awaits::Body(0, None),
            (Some(Answer::Status(due)), status) if status == due => Awaits::Body(response.length, None),
            (Some(Answer::WebSocket(record)), 101) => Awaits::Frames(record),
            (Some(Answer::Events(record)), 200) if response.is_stream => Awaits::Events(record),
            (Some(Answer::WebSocket(record)), 503) if !plan.roomy || plan.drains.is_some() => {
                model.meet(Met::NoRoom);
                model.end(record);
                Awaits::Body(response.length, None)
            }
            // There was no room for the answer.
            (Some(_), 503) if plan.poor && self.last => Awaits::Body(response.length, None),
            // What misbehaves may have changed the request.
            (Some(Answer::WebSocket(record)), 400..=499) if self.spoilt => {
                model.end(record);
                Awaits::Body(response.length, None)
            }
            // Nobody asked the application: the loop has refused it by itself.
            (None, status) => {
                self.refused(status, model, plan)?;
                Awaits::Body(response.length, None)
            }
            (due, _) => return Err(format!("{due:?} was due, and this came: {head:?}")),
        };
        model.answers[self.index].pop_front();
        Ok(Some(end))
    }

    /// Whether a refusal that the application has no part in is in order.
    fn refused(&self, status: u16, model: &mut Model, plan: &Plan) -> Result<(), String> {
        match status {
            408 => model.meet(Met::LateRequest),
            413 => model.meet(Met::BodyTooLarge),
            431 => model.meet(Met::HeadTooLarge),
            _ => {}
        }
        let in_order = self.spoilt || !plan.patient && status == 408 || plan.poor && status == 503;
        if in_order && self.last { Ok(()) } else { Err(format!("it was answered {status} and had done nothing")) }
    }

    /// Reads a page, whole.
    pub(super) fn read_body(
        &mut self,
        at: usize,
        length: usize,
        answer: Option<Answer>,
    ) -> Result<Option<usize>, String> {
        let rest = &self.inbox[at..];
        if rest.len() < length {
            return Ok(None);
        }
        if let Some(Answer::Page(word, _)) = answer
            && Word::read(&rest[..length]) != Some(word)
        {
            return Err(format!("the page should be {word:?} and is {}", Glimpse(&rest[..length])));
        }
        self.awaits = Awaits::Head;
        Ok(Some(length))
    }

    /// As a host: reads the request of our opening handshake, and answers it.
    pub(super) fn read_opening(&mut self, at: usize, model: &mut Model) -> Result<Option<usize>, String> {
        let Some(end) = end_of_head(&self.inbox[at..]) else { return Ok(None) };
        let head = std::str::from_utf8(&self.inbox[at..at + end - 4]).map_err(|error| error.to_string())?;
        let Some(key) = head.lines().find_map(|line| line.strip_prefix("Sec-WebSocket-Key: ")) else {
            return Err(format!("this is no opening handshake: {head:?}"));
        };
        if self.hostile {
            self.spoilt = true;
            self.outbox.extend_from_slice(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n");
        } else {
            let accept = Accept::for_key(key);
            let is_offered = head.contains("permessage-deflate");
            let answer = ANSWERS.get(self.index % 4).filter(|_| is_offered);
            self.frames.squeeze = answer.map(|answer| Squeeze::agreed(answer, true));
            let field = answer.map(|answer| format!("Sec-WebSocket-Extensions: {answer}\r\n")).unwrap_or_default();
            self.outbox.extend_from_slice(
                format!(
                    "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
                     Sec-WebSocket-Accept: {}\r\n{field}\r\n",
                    accept.as_str()
                )
                .as_bytes(),
            );
        }
        let dialled = |live: &usize| {
            let record = &model.records[*live];
            record.guest == self.index && record.state == State::Dialled
        };
        let Some(record) = model.live.iter().copied().find(dialled) else {
            // It was given up in the meantime.
            self.awaits = Awaits::End;
            return Ok(None);
        };
        self.answers += 1;
        self.awaits = Awaits::Frames(record);
        Ok(Some(end))
    }
}
