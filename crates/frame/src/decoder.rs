//! From bytes to events: RFC 6455 §5 and §8.1, for either role. Knows messages and frames; what a Close or a Ping
//! obliges us to do is `connection`'s.

use core::mem::size_of;

use crate::header::{Rules, extended_room};
use crate::utf8::text;
use crate::{Close, Error, Event, Header, Kind, Limits, Mask, Opcode, Role, Rsv, Step, Utf8, Whole};

/// The receiving half of a connection, 32 bytes in size.
///
/// Calling order: [`new`](Self::new), [`negotiated`](Self::negotiated) if an extension was, then
/// [`decode`](Self::decode) with whatever has arrived, again and again, dropping what each step consumed. An error is
/// final.
#[derive(Clone, Debug)]
pub struct Decoder {
    limits: Limits,
    /// Payload bytes that the message may still have.
    room: u32,
    /// Frames that the message may still have.
    parts: u32,
    /// Payload bytes still to come of the data frame being read.
    left: u32,
    /// The key of the data frame being read, turned to the next byte.
    mask: Mask,
    /// The end of the text so far.
    utf8: Utf8,
    role: Role,
    negotiated: Rsv,
    awaits: Awaits,
}

const _: () = assert!(size_of::<Decoder>() <= 32, "the receiving half of an idle connection");

/// What the next byte is of, control frames apart: they may stand between any two frames (§5.4).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Awaits {
    /// The first frame of a message.
    Message,
    /// The next frame of a message that this kind and these bits began.
    Continuation { kind: Kind, rsv: Rsv },
    /// Payload of a data frame, the last of its message or not.
    Payload { kind: Kind, rsv: Rsv, fin: bool },
}

impl Decoder {
    /// A decoder at the beginning of a connection, or rather behind its handshake.
    #[must_use]
    pub const fn new(role: Role, limits: Limits) -> Self {
        Self {
            limits,
            room: limits.message,
            parts: limits.parts,
            left: 0,
            mask: Mask::NONE,
            utf8: Utf8::new(),
            role,
            negotiated: Rsv::NONE,
            awaits: Awaits::Message,
        }
    }

    /// With the bits that extensions have negotiated: what begins with one of them becomes [`Event::Extended`].
    #[must_use]
    pub const fn negotiated(mut self, rsv: Rsv) -> Self {
        self.negotiated = rsv;
        self
    }

    /// Payload bytes still to come of the data frame being read, 0 between frames. So many bytes the caller may read
    /// from the socket straight into the place where it wants them, and decode them there.
    #[inline]
    #[must_use]
    pub const fn frame_left(&self) -> u32 {
        self.left
    }

    /// Whether a message has begun and not ended.
    #[inline]
    #[must_use]
    pub const fn message_open(&self) -> bool {
        !matches!(self.awaits, Awaits::Message)
    }

    /// Takes the next step: at most one event, unmasked in place. §6.2, and §10.7: nothing is taken on trust. §5.7 has examples.
    ///
    /// A header and a control frame are taken as a whole: until all of one is there, nothing is consumed, and the
    /// caller keeps those at most 130 bytes. (So a Close is judged by its header at once, by its code and reason when
    /// it is all there.) The payload of a data frame is taken as it comes, and handed out in pieces. Errors come as
    /// soon as the bytes that are there make them certain: a length beyond the limit before its payload, text within an
    /// unfinished frame.
    #[inline]
    pub fn decode<'i>(&mut self, input: &'i mut [u8]) -> Result<Step<'i>, Error> {
        if let Awaits::Payload { kind, rsv, fin } = self.awaits {
            return self.payload(kind, rsv, fin, 0, input);
        }
        let Some((header, at)) = Header::parse_within(input, &self.rules())? else { return Ok(Step::NEED_MORE) };
        let (kind, rsv) = match (self.awaits, header.opcode) {
            (_, Opcode::Close | Opcode::Ping | Opcode::Pong) => return control(&header, at, input),
            (Awaits::Continuation { kind, rsv }, _) => (kind, rsv),
            (_, Opcode::Text) => (Kind::Text, header.rsv),
            (_, _) => (Kind::Binary, header.rsv),
        };
        // The rules had it that the length is within the room, which is a u32.
        let len = u32::try_from(header.len).map_err(|_| Error::MessageTooBig)?;
        if header.fin && self.awaits == Awaits::Message && input.len() - at >= len as usize {
            return at_once(&header, kind, at, input);
        }
        if !header.rsv.is_empty() {
            self.room = u32::try_from(extended_room(u64::from(self.room))).unwrap_or(u32::MAX);
        }
        self.left = len;
        self.room = self.room.saturating_sub(self.left);
        self.parts = self.parts.saturating_sub(1);
        self.mask = header.mask.unwrap_or(Mask::NONE);
        self.payload(kind, rsv, header.fin, at, input)
    }

    /// The short way for whole messages, where there is one: between messages.
    #[inline]
    pub(crate) fn whole(&self) -> Option<Whole> {
        (self.awaits == Awaits::Message && self.parts > 0).then(|| Whole::new(self.role, self.room))
    }

    /// What the next header must fit. Bits that nobody has agreed on mean nothing (RFC 7692 §5).
    #[inline]
    fn rules(&self) -> Rules {
        Rules {
            negotiated: self.negotiated,
            masked: Some(self.role == Role::Server),
            open: Some(self.message_open()),
            part: self.parts > 0,
            room: u64::from(self.room),
        }
    }

    /// What is there of a data frame's payload, from `at` on, and what comes after it.
    #[inline]
    fn payload<'i>(
        &mut self,
        kind: Kind,
        rsv: Rsv,
        fin: bool,
        at: usize,
        input: &'i mut [u8],
    ) -> Result<Step<'i>, Error> {
        let here = u32::try_from(input.len() - at).unwrap_or(u32::MAX).min(self.left);
        let consumed = at + here as usize;
        let payload = input.get_mut(at..consumed).unwrap_or_default();
        self.left -= here;
        if self.role == Role::Server {
            self.mask.apply(payload);
        }
        let payload = &*payload;

        let end = fin && self.left == 0;
        self.awaits = match (self.left, fin) {
            (1.., _) => Awaits::Payload { kind, rsv, fin },
            (0, false) => Awaits::Continuation { kind, rsv },
            (0, true) => {
                self.room = self.limits.message;
                self.parts = self.limits.parts;
                Awaits::Message
            }
        };

        let event = match kind {
            _ if !rsv.is_empty() => Event::Extended { rsv, opcode: kind.opcode(), bytes: payload, end },
            Kind::Binary => Event::Binary { bytes: payload, end },
            Kind::Text => {
                let (carried, rest) = self.utf8.push(payload)?; // §8.1: as early as may be, also between two frames
                if end {
                    self.utf8.finish()?;
                }
                Event::Text { carried, rest, end }
            }
        };
        let nothing = match event {
            Event::Text { carried, rest, end } => carried.is_none() && rest.is_empty() && !end,
            _ => payload.is_empty() && !end,
        };
        Ok(Step { consumed, event: if nothing { None } else { Some(event) } })
    }
}

/// A message in one frame that is all there, as most are: it leaves no trace in the machine.
///
/// Inlined whatever the compiler thinks: the bench `receive` shows what a call would cost a small message.
#[inline(always)]
fn at_once<'i>(header: &Header, kind: Kind, at: usize, input: &'i mut [u8]) -> Result<Step<'i>, Error> {
    let consumed = at + usize::try_from(header.len).unwrap_or(usize::MAX - at);
    let payload = input.get_mut(at..consumed).unwrap_or_default();
    if let Some(mut mask) = header.mask {
        mask.apply(payload);
    }
    let payload = &*payload;
    let event = match kind {
        _ if !header.rsv.is_empty() => {
            Event::Extended { rsv: header.rsv, opcode: kind.opcode(), bytes: payload, end: true }
        }
        Kind::Binary => Event::Binary { bytes: payload, end: true },
        Kind::Text => {
            let rest = text(payload)?; // §8.1
            Event::Text { carried: None, rest, end: true }
        }
    };
    Ok(Step { consumed, event: Some(event) })
}

/// A control frame, if all of it is there: it has its own key and touches nothing that a message needs (§5.5).
#[inline]
fn control<'i>(header: &Header, at: usize, input: &'i mut [u8]) -> Result<Step<'i>, Error> {
    let consumed = at + usize::try_from(header.len).unwrap_or(usize::MAX - at);
    let Some(payload) = input.get_mut(at..consumed) else { return Ok(Step::NEED_MORE) };
    if let Some(mut mask) = header.mask {
        mask.apply(payload);
    }
    let event = match header.opcode {
        Opcode::Ping => Event::Ping(payload),
        Opcode::Pong => Event::Pong(payload),
        _ => Event::Close(Close::parse(payload)?),
    };
    Ok(Step { consumed, event: Some(event) })
}
