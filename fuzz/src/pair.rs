//! A client and a server of `longwire-frame` that speak with each other, whatever they are told to do.

use std::collections::VecDeque;

use arbitrary::{Arbitrary, Unstructured};
use longwire_frame::{Close, CloseCode, Connection, Limits, Mask, Message, Reply, State, Unsent};

use crate::frames::Heard;
use crate::naive::frames::Said;

/// One of the two.
#[derive(Arbitrary, Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    Client,
    Server,
}

/// What one end is told to do. As bytes: three that mean nothing, one whose value out of 256 chooses from the list, then its
/// fields in their order; an end like an operation, the other fields a byte each.
#[derive(Arbitrary, Clone, Copy, Debug)]
enum Operation {
    /// Sends a whole text of so many letters, some of which have more than one byte.
    Text(End, u8),
    /// Sends a whole binary message; a size of 255 stands for one whose length has 64 bits.
    Binary(End, u8),
    /// Sends a piece of a message: how long, whether as text, whether the last.
    Piece(End, u8, bool, bool),
    Ping(End, u8),
    Pong(End, u8),
    /// Closes: with one of our codes or without, and with a reason that long.
    Close(End, u8, u8),
    /// So many bytes reach this end.
    Deliver(End, u8),
    /// All bytes that are under way reach this end.
    DeliverAll(End),
    /// This end is gone: nothing reaches it any more, and it sends nothing.
    Drop(End),
}

/// One end: its connection, what is under way to it, and what it must hear.
struct Side {
    connection: Connection,
    under_way: VecDeque<u8>,
    received: Vec<u8>,
    heard: Heard,
    /// What the other end has said, in its order.
    told: Vec<Said>,
    /// The message that the other end has begun: whether it is text, and its payload.
    begun: Option<(bool, Vec<u8>)>,
    gone: bool,
}

impl Side {
    fn new(connection: Connection) -> Self {
        let (heard, under_way, received) = (Heard::default(), VecDeque::new(), Vec::new());
        Self { connection, under_way, received, heard, told: Vec::new(), begun: None, gone: false }
    }
}

/// The two, and a number that makes payloads and keys different from each other.
struct Pair {
    client: Side,
    server: Side,
    number: u8,
}

/// What is sent arrives, once and in its order, whatever is sent when and however the bytes come; nobody finds a fault in the
/// other; and who has begun to close comes to the end, with the code that was given.
///
/// The input is a list of operations.
pub fn pair(data: &[u8]) {
    let limits = Limits { message: 1 << 24, ..Limits::DEFAULT };
    let (client, server) = (Side::new(Connection::client(limits)), Side::new(Connection::server(limits)));
    let mut pair = Pair { client, server, number: 0 };
    let mut data = Unstructured::new(data);
    // So many are enough for any order of things.
    for _ in 0..200 {
        if data.is_empty() {
            break;
        }
        if let Ok(operation) = Operation::arbitrary(&mut data) {
            pair.apply(operation);
        }
    }
    // Whatever is still under way arrives, what is answered to it, and what is answered to that.
    for _ in 0..2 {
        pair.deliver(End::Server, usize::MAX);
        pair.deliver(End::Client, usize::MAX);
    }
    let complete = !pair.client.gone && !pair.server.gone;
    for side in [&pair.client, &pair.server] {
        assert!(side.told.starts_with(&side.heard.said), "it hears what was said, in its order");
        if complete {
            assert_eq!(side.heard.said, side.told);
            assert_eq!(side.heard.unfinished, side.begun.as_ref().map_or(&[][..], |(_, bytes)| bytes));
            assert!(side.received.is_empty() && side.under_way.is_empty());
        }
    }
    if complete {
        let state = pair.client.connection.state();
        assert_eq!(state, pair.server.connection.state(), "they close together");
        assert!(matches!(state, State::Open | State::Closed));
    }
}

impl Pair {
    fn apply(&mut self, operation: Operation) {
        self.number = self.number.wrapping_add(1);
        match operation {
            Operation::Text(end, size) => {
                let text = self.letters(size.into());
                self.whole(end, Message::Text(&text), Said::Text(text.clone()));
            }
            Operation::Binary(end, size) => {
                let bytes = vec![self.number; if size == 255 { 1 << 16 } else { size.into() }];
                self.whole(end, Message::Binary(&bytes), Said::Binary(bytes.clone()));
            }
            Operation::Piece(end, size, text, last) => self.piece(end, size, text, last),
            Operation::Ping(end, size) => {
                let payload = vec![self.number; size.into()];
                let expected = if size > 125 { Err(Unsent::TooLong) } else { Ok(()) };
                if self.send(end, size.into(), expected, |from, key, out| from.ping(&payload, key, out)) {
                    self.other(end).told.push(Said::Ping(payload));
                }
            }
            Operation::Pong(end, size) => {
                let payload = vec![self.number; size.into()];
                let expected = if size > 125 { Err(Unsent::TooLong) } else { Ok(()) };
                if self.send(end, size.into(), expected, |from, key, out| from.pong(&payload, key, out)) {
                    self.other(end).told.push(Said::Pong(payload));
                }
            }
            Operation::Close(end, code, reason) => self.close(end, code, reason),
            Operation::Deliver(end, bytes) => self.deliver(end, bytes.into()),
            Operation::DeliverAll(end) => self.deliver(end, usize::MAX),
            Operation::Drop(end) => self.side(end).gone = true,
        }
    }

    fn side(&mut self, end: End) -> &mut Side {
        match end {
            End::Client => &mut self.client,
            End::Server => &mut self.server,
        }
    }

    fn other(&mut self, end: End) -> &mut Side {
        match end {
            End::Client => &mut self.server,
            End::Server => &mut self.client,
        }
    }

    /// For a client's frame; a server masks nothing, so that it must not matter there.
    fn key(&self) -> Mask {
        Mask::new([self.number, 0x5A, !self.number, 1])
    }

    /// Letters of one to four bytes, beginning anywhere.
    fn letters(&self, count: usize) -> String {
        "abc\u{E9}de\u{20AC}fg\u{1F600}".chars().cycle().skip((self.number % 10).into()).take(count).collect()
    }

    /// Whether it was sent, as it must be if the connection is open and `expected` says so. Where there is too little room, nothing
    /// happens.
    fn send(
        &mut self,
        end: End,
        payload: usize,
        expected: Result<(), Unsent>,
        encode: impl Fn(&mut Connection, Mask, &mut [u8]) -> Result<usize, Unsent>,
    ) -> bool {
        let key = self.key();
        let side = self.side(end);
        if side.gone {
            return false;
        }
        let expected = if side.connection.state() == State::Open { expected } else { Err(Unsent::Closed) };
        let mut out = vec![0; payload + 14];
        let written = encode(&mut side.connection.clone(), key, &mut out);
        assert_eq!(written.map(|_| ()), expected);
        let Ok(written) = written else { return false };
        assert_eq!(encode(&mut side.connection, key, &mut out[..written - 1]), Err(Unsent::Full));
        assert_eq!(encode(&mut side.connection, key, &mut out), Ok(written));
        self.other(end).under_way.extend(&out[..written]);
        true
    }

    fn whole(&mut self, end: End, message: Message<'_>, said: Said) {
        let expected = if self.other(end).begun.is_some() { Err(Unsent::Unfinished) } else { Ok(()) };
        if self.send(end, message.len(), expected, |from, key, out| from.message(message, key, out)) {
            self.other(end).told.push(said);
        }
    }

    /// Later pieces are of the first one's kind.
    fn piece(&mut self, end: End, size: u8, text: bool, last: bool) {
        let is_text = self.other(end).begun.as_ref().map_or(text, |(is_text, _)| *is_text);
        let letters = self.letters(size.into());
        let piece = if is_text { Message::Text(&letters) } else { Message::Binary(letters.as_bytes()) };
        if self.send(end, piece.len(), Ok(()), |from, key, out| from.piece(piece, last, key, out)) {
            let other = self.other(end);
            let (is_text, mut bytes) = other.begun.take().unwrap_or((is_text, Vec::new()));
            bytes.extend_from_slice(piece.as_bytes());
            match last {
                false => other.begun = Some((is_text, bytes)),
                true if is_text => other.told.push(Said::Text(String::from_utf8(bytes).expect("letters"))),
                true => other.told.push(Said::Binary(bytes)),
            }
            assert_eq!(self.side(end).connection.is_mid_message(), !last);
        }
    }

    fn close(&mut self, end: End, code: u8, reason: u8) {
        const CODES: [u16; 7] = [1000, 1001, 1003, 1011, 1014, 3000, 4999];
        let code = CODES.get(usize::from(code) % 8).and_then(|code| CloseCode::new(*code));
        let reason = self.letters(reason.into());
        let close = code.map(|code| Close { code, reason: &reason });
        if self.send(end, 125, Ok(()), |from, key, out| from.close(close, key, out)) {
            // As much of a reason as a frame can hold.
            let fits =
                (0..=123).rev().find_map(|len| reason.get(..len.min(reason.len()))).unwrap_or_default().to_owned();
            self.other(end).told.push(Said::Close(code.map(|code| (code.get(), fits))));
        }
    }

    /// Bytes reach an end, which answers what must be answered.
    fn deliver(&mut self, end: End, bytes: usize) {
        let (key, short) = (self.key(), self.number & 1 == 1);
        let (side, other) = match end {
            End::Client => (&mut self.client, &mut self.server),
            End::Server => (&mut self.server, &mut self.client),
        };
        if side.gone {
            return;
        }
        side.received.extend(side.under_way.drain(..bytes.min(side.under_way.len())));
        let mut reply = Reply::new();
        loop {
            if short {
                let mut rest = side.received.as_mut_slice();
                let whole = side.connection.whole().map_or(Ok(None), |whole| whole.next(&mut rest));
                if let Some(message) = whole.expect("nobody breaks a rule") {
                    side.heard.message(message);
                    let left = rest.len();
                    side.received.drain(..side.received.len() - left);
                    continue;
                }
            }
            let open = side.connection.state() == State::Open;
            let step = side.connection.receive(&mut side.received, &mut reply, key).expect("nobody breaks a rule");
            let (consumed, event) = (step.consumed, step.event);
            if consumed == 0 && event.is_none() {
                break;
            }
            let before = side.heard.said.len();
            if let Some(event) = event {
                side.heard.event(event);
            }
            let answer = match side.heard.said.get(before) {
                Some(Said::Ping(payload)) if open => Some(Said::Pong(payload.clone())),
                Some(Said::Close(close)) if open => {
                    Some(Said::Close(close.as_ref().map(|(code, _)| (*code, String::new()))))
                }
                _ => None,
            };
            assert_eq!(answer.is_some(), !reply.is_empty());
            other.told.extend(answer);
            other.under_way.extend(reply.as_bytes());
            side.received.drain(..consumed);
        }
    }
}
