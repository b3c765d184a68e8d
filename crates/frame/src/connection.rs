//! Both halves and the closing handshake: RFC 6455 §5.5 and §7, for either role. What goes out is encoded into memory
//! that is lent with the call; nothing waits in here.

use core::mem::size_of;

use crate::{
    Close, Closed, Decoder, Encoder, Error, Event, Header, Limits, Mask, Message, Reply, Role, Rsv, Step, Unsent, Whole,
};

/// One WebSocket connection behind its handshake, at most 40 bytes in size.
///
/// Calling order: [`server`](Self::server) or [`client`](Self::client), then in any order [`receive`](Self::receive)
/// with whatever has arrived, sending at once what it leaves in the reply, and [`message`](Self::message),
/// [`piece`](Self::piece), [`ping`](Self::ping), [`close`](Self::close). When [`state`](Self::state) is
/// [`Closed`](State::Closed) or [`Failed`](State::Failed) and all is written, the transport is to be closed, by the
/// server first (§7.1.1).
#[derive(Clone, Debug)]
pub struct Connection {
    decoder: Decoder,
    encoder: Encoder,
    state: State,
}

const _: () = assert!(size_of::<Connection>() <= 40, "the protocol's part of an idle connection");

/// How far the closing handshake has come (§7.1).
///
/// ```text
///                  we close              the peer's Close
///         Open ────────────► CloseSent ──────────────────► Closed
///           └───────────── the peer's Close, our echo ────────▲
///         Open, CloseSent ──── a fault of the peer's ────► Failed
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum State {
    /// Neither side has sent a Close.
    Open,
    /// We have sent ours and await the peer's. What it sends before is still delivered (§1.4, §5.5.1).
    CloseSent,
    /// Both have been sent, whoever began: the closing handshake is over (§7.1.3).
    Closed,
    /// The peer broke a rule. What it sends is not looked at any more (§7.1.7).
    Failed,
}

/// What moves a connection from one state to another.
#[derive(Clone, Copy)]
enum Passage {
    CloseSent,
    CloseReceived,
    Fault,
}

impl State {
    /// Every transition there is.
    const fn after(self, passage: Passage) -> Self {
        match (self, passage) {
            (Self::Open, Passage::CloseSent) => Self::CloseSent,
            (Self::Open, Passage::CloseReceived) => Self::Closed, // §5.5.1: the echo is sent with it
            (Self::CloseSent, Passage::CloseReceived) => Self::Closed, // §7.1.3
            (Self::Open | Self::CloseSent, Passage::Fault) => Self::Failed, // §7.1.7
            (Self::CloseSent, Passage::CloseSent) => Self::CloseSent,
            (Self::Closed, _) => Self::Closed,
            (Self::Failed, _) => Self::Failed,
        }
    }

    /// Whether frames of the peer are still looked at.
    #[inline]
    const fn receives(self) -> bool {
        matches!(self, Self::Open | Self::CloseSent)
    }
}

impl Connection {
    /// A server's connection.
    #[must_use]
    pub const fn server(limits: Limits) -> Self {
        Self::new(Role::Server, limits)
    }

    /// A client's connection.
    #[must_use]
    pub const fn client(limits: Limits) -> Self {
        Self::new(Role::Client, limits)
    }

    const fn new(role: Role, limits: Limits) -> Self {
        Self { decoder: Decoder::new(role, limits), encoder: Encoder::new(role), state: State::Open }
    }

    /// With the bits that extensions have negotiated. See [`Decoder::negotiated`].
    #[must_use]
    pub const fn negotiated(mut self, rsv: Rsv) -> Self {
        self.decoder = self.decoder.negotiated(rsv);
        self
    }

    /// How far the closing handshake has come.
    #[inline]
    #[must_use]
    pub const fn state(&self) -> State {
        self.state
    }

    /// Payload bytes still to come of the incoming data frame. See [`Decoder::frame_left`].
    #[inline]
    #[must_use]
    pub const fn frame_left(&self) -> u32 {
        self.decoder.frame_left()
    }

    /// Whether an *incoming* message has begun and not ended. See [`Decoder::message_open`].
    #[inline]
    #[must_use]
    pub const fn message_open(&self) -> bool {
        self.decoder.message_open()
    }

    /// Whether a fragmented *outgoing* message has begun and not ended. See [`Encoder::is_open`].
    #[inline]
    #[must_use]
    pub const fn is_mid_message(&self) -> bool {
        self.encoder.is_open()
    }

    /// Takes the next step of what has arrived, as [`Decoder::decode`] does, and leaves in `reply` what it calls for:
    /// the Pong for a Ping, the echo of a Close, or, with an error, the Close that fails the connection.
    ///
    /// `reply` is emptied first: send what it holds before the next call. What comes after the peer's Close or after an
    /// error is consumed and not looked at. Once our Close has been sent, nothing follows it: Pings are delivered, but
    /// not answered.
    ///
    /// `key` masks the reply of a client; a server passes [`Mask::NONE`].
    #[inline]
    pub fn receive<'i>(&mut self, input: &'i mut [u8], reply: &mut Reply, key: Mask) -> Result<Step<'i>, Error> {
        reply.clear();
        if !self.state.receives() {
            return Ok(Step { consumed: input.len(), event: None }); // §5.5.1, §7.1.7
        }
        let step = match self.decoder.decode(input) {
            Ok(step) => step,
            Err(error) => return Err(self.fail(error, reply, key)),
        };
        match step.event {
            Some(Event::Ping(payload)) => self.answer(payload, reply, key),
            Some(Event::Close(close)) => self.echo(close, reply, key),
            _ => {}
        }
        Ok(step)
    }

    /// The short way for whole messages, as long as nothing is begun and nothing has closed. What it does not take,
    /// [`receive`](Self::receive) does.
    #[inline]
    #[must_use]
    pub fn whole(&self) -> Option<Whole> {
        if self.state == State::Open { self.decoder.whole() } else { None }
    }

    /// Fails the connection for a fault that somebody else found, such as an extension in the payload that is its own, and leaves
    /// the Close in `reply`. Returns the fault. §7.1.7 and §10.7: by a Close with the code that says why.
    #[cold]
    pub fn fail(&mut self, error: Error, reply: &mut Reply, key: Mask) -> Error {
        reply.clear();
        if self.state == State::Open {
            let close = Close::new(error.close_code(), error.what());
            reply.fill(|out| self.encoder.close(Some(close), key, out));
        }
        self.state = self.state.after(Passage::Fault);
        error
    }

    /// §5.5.2: a Ping is answered, with its own payload.
    fn answer(&self, payload: &[u8], reply: &mut Reply, key: Mask) {
        if self.state == State::Open {
            reply.fill(|out| self.encoder.pong(payload, key, out));
        }
    }

    /// §5.5.1: a Close is answered by one, with the code that came, unless ours was first.
    fn echo(&mut self, close: Option<Close<'_>>, reply: &mut Reply, key: Mask) {
        if self.state == State::Open {
            let echo = close.map(|close| Close { code: close.code, reason: "" });
            reply.fill(|out| self.encoder.close(echo, key, out));
        }
        self.state = self.state.after(Passage::CloseReceived);
    }

    /// The header of a whole message, for callers who write the payload themselves. See [`Encoder::message_header`].
    #[inline]
    pub fn message_header(&self, message: Message<'_>, key: Mask) -> Result<Header, Unsent> {
        self.may_send()?;
        Ok(self.encoder.message_header(message, key)?)
    }

    /// The header of a piece of a message, for callers who write the payload themselves. See [`Encoder::piece_header`].
    #[inline]
    pub fn piece_header(&mut self, piece: Message<'_>, end: bool, key: Mask) -> Result<Header, Closed> {
        self.may_send()?;
        Ok(self.encoder.piece_header(piece, end, key))
    }

    /// A whole message, into `out`. Returns how many bytes that took. The steps of §6.1 are this call.
    #[inline(always)]
    pub fn message(&self, message: Message<'_>, key: Mask, out: &mut [u8]) -> Result<usize, Unsent> {
        self.may_send()?;
        self.encoder.message(message, key, out)
    }

    /// A piece of a message, into `out`. Returns how many bytes that took. See [`Encoder::piece`].
    #[inline]
    pub fn piece(&mut self, piece: Message<'_>, end: bool, key: Mask, out: &mut [u8]) -> Result<usize, Unsent> {
        self.may_send()?;
        self.encoder.piece(piece, end, key, out)
    }

    /// A Ping with at most 125 bytes of payload, into `out`. Returns how many bytes that took.
    pub fn ping(&self, payload: &[u8], key: Mask, out: &mut [u8]) -> Result<usize, Unsent> {
        self.may_send()?;
        self.encoder.ping(payload, key, out)
    }

    /// A Pong that nobody asked for, with at most 125 bytes of payload, into `out`. Returns how many bytes that took.
    /// (§5.5.3)
    pub fn pong(&self, payload: &[u8], key: Mask, out: &mut [u8]) -> Result<usize, Unsent> {
        self.may_send()?;
        self.encoder.pong(payload, key, out)
    }

    /// Begins the closing handshake: a Close, into `out`. Returns how many bytes that took. §7.1.2 calls it the start of the
    /// closing handshake.
    ///
    /// [`Unsent::Closed`] if ours was sent already, or the connection failed. A fragmented message of ours that is open
    /// stays unfinished.
    pub fn close(&mut self, close: Option<Close<'_>>, key: Mask, out: &mut [u8]) -> Result<usize, Unsent> {
        self.may_send()?;
        let written = self.encoder.close(close, key, out)?;
        self.state = self.state.after(Passage::CloseSent);
        Ok(written)
    }

    /// §5.5.1: after our Close, nothing. §6.1: in no state but open.
    #[inline]
    fn may_send(&self) -> Result<(), Closed> {
        if self.state == State::Open { Ok(()) } else { Err(Closed) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_way_leads_back_and_none_out_of_the_end() {
        let order = |state| match state {
            State::Open => 0,
            State::CloseSent => 1,
            State::Closed | State::Failed => 2,
        };
        for state in [State::Open, State::CloseSent, State::Closed, State::Failed] {
            for passage in [Passage::CloseSent, Passage::CloseReceived, Passage::Fault] {
                let after = state.after(passage);
                assert!(order(after) >= order(state), "{state} to {after}");
                assert!(state.receives() || after == state, "{state} to {after}");
            }
        }
    }
}
