//! From compressed payload to the events of a plain message: RFC 7692 §7.2.2. Bounded while it inflates, and text is
//! judged as it comes out.

use alloc::collections::VecDeque;

use zlib_rs::{Inflate, InflateFlush, Status};

use super::{Context, TAIL};
use crate::{Error, Event, Limits, Opcode, Step, Utf8};

/// What decompresses the messages of a peer.
///
/// Calling order: [`inflate`](Self::inflate) for every [`Event::Extended`], again and again, as one calls
/// [`Decoder::decode`](crate::Decoder::decode), until a step consumes nothing and brings nothing, or brings the end of the
/// message.
///
/// It costs about 47 KiB, whatever window the peer has, and up to 32 KiB more for what it has put out last. So share it: a
/// loop needs one for all connections whose context is [`Fresh`](Context::Fresh), and another one for each of them
/// that is amid a message while somebody else's arrives.
///
/// ```
/// use longwire_frame::{Connection, Context, Event, Inflater, Limits, Mask, Reply, Rsv};
///
/// let mut connection = Connection::client(Limits::DEFAULT).negotiated(Rsv::RSV1);
/// let mut inflater = Inflater::new(Context::Fresh, Limits::DEFAULT);
/// let mut reply = Reply::new();
/// let mut input = [0xc1, 0x07, 0xf2, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00]; // RFC 7692 §7.2.3.1
/// let mut output = [0; 1024]; // as much as one step may bring
///
/// let step = connection.receive(&mut input, &mut reply, Mask::NONE)?;
/// let Some(Event::Extended { opcode, bytes, end, .. }) = step.event else { panic!("it is compressed") };
/// let inflated = inflater.inflate(opcode, bytes, end, &mut output)?; // on an error: connection.fail(…)
/// assert_eq!(inflated.event, Some(Event::Text { carried: None, rest: "Hello", end: true }));
/// # Ok::<(), longwire_frame::Error>(())
/// ```
pub struct Inflater {
    inflate: Inflate,
    context: Context,
    limit: u32,
    /// Inflated bytes that the message may still have.
    room: u32,
    /// Final blocks that the message may still have.
    final_blocks_left: u32,
    /// The end of the text so far.
    utf8: Utf8,
    /// What was put out last, at most a window of it, for the stream that may begin behind a final block.
    recent: VecDeque<u8>,
    message_open: bool,
    /// Nothing has come of what ends with a sync flush or a final block.
    at_boundary: bool,
    /// The last output was filled to its end, so there may be more.
    pending: bool,
}

/// The largest window of a compressor (§7.1.2): 32 KiB.
const WINDOW: usize = 1 << 15;

/// Bytes that `Inflate` has on the heap.
const STATE: usize = 47_552;

/// Final blocks in a message. §7.2.3.4 allows them, and names no number; each costs up to a microsecond for two bytes.
const FINAL_BLOCKS: u32 = 4096;

/// Of these, so many in one step: a caller that counts what a step brings would count nothing for them.
const FINAL_BLOCKS_OF_A_STEP: u32 = 64;

impl Inflater {
    /// Bytes that a step must be lent: with any character's four it never stands still while there is more.
    pub const LEAST: usize = 4;

    /// An inflater before its first message. Of the limits, [`message`](Limits::message) bounds what comes out.
    #[must_use]
    pub fn new(context: Context, limits: Limits) -> Self {
        Self {
            // RFC 7692 §7.1.2: a window of 15 bits inflates whatever a smaller one has compressed.
            inflate: Inflate::new(false, 15),
            context,
            limit: limits.message,
            room: limits.message,
            final_blocks_left: FINAL_BLOCKS,
            utf8: Utf8::new(),
            recent: VecDeque::new(),
            message_open: false,
            at_boundary: true,
            pending: false,
        }
    }

    /// Whether a message has begun and not ended.
    #[must_use]
    pub const fn message_open(&self) -> bool {
        self.message_open
    }

    /// Final blocks of the message so far (§7.2.3.4). Each costs as much as a kilobyte that comes out, and brings as little as nothing.
    #[must_use]
    pub const fn final_blocks(&self) -> u32 {
        FINAL_BLOCKS - self.final_blocks_left
    }

    /// Bytes of memory that this inflater pins.
    #[must_use]
    pub fn capacity(&self) -> usize {
        STATE + self.recent.capacity()
    }

    /// Forgets the message and the window, for another connection. An error has done so already.
    pub fn clear(&mut self) {
        self.inflate.reset(false);
        self.recent.clear();
        self.utf8 = Utf8::new();
        self.next_message();
    }

    /// Takes the next step: at most one event, [`Text`](Event::Text) or [`Binary`](Event::Binary), that borrows `out`. §7.2.3.2,
    /// §7.2.3.3 and §7.2.3.5 show what may come.
    ///
    /// `opcode`, `bytes` and `end` are those of an [`Event::Extended`]; after a step call again with the bytes that it has
    /// not consumed, and with none if it has consumed all: there may be more to come out. No step brings more than `out`
    /// can hold, so a caller stops where it likes, and goes on later. It must hold [`LEAST`](Self::LEAST) bytes.
    /// How long a step may take depends on both: the bytes that go in, and those that can come out. (After 64 final blocks it ends.)
    ///
    /// Errors come as soon as they can: a message that is too big at the first byte beyond the limit, text that is not
    /// UTF-8 in the step that brings the byte, whatever else is to come.
    pub fn inflate<'o>(
        &mut self,
        opcode: Opcode,
        bytes: &[u8],
        end: bool,
        out: &'o mut [u8],
    ) -> Result<Step<'o>, Error> {
        debug_assert!(out.len() >= Self::LEAST, "{} bytes are lent", out.len());
        let step = self.step(opcode, bytes, end, out);
        if step.is_err() {
            self.clear();
        }
        step
    }

    fn step<'o>(&mut self, opcode: Opcode, bytes: &[u8], end: bool, out: &'o mut [u8]) -> Result<Step<'o>, Error> {
        self.message_open = true;
        // One byte more than there may be shows that there is more.
        let probe = usize::try_from(self.room).unwrap_or(usize::MAX).saturating_add(1);
        let most = out.len().min(probe);
        let place = out.get_mut(..most).unwrap_or_default();
        let (mut consumed, mut written) = (0, 0);
        let before = self.final_blocks_left;
        while let (Some(input), Some(output @ [_, ..])) = (bytes.get(consumed..), place.get_mut(written..)) {
            if input.is_empty() && !self.pending || before - self.final_blocks_left >= FINAL_BLOCKS_OF_A_STEP {
                break;
            }
            let (read, wrote) = self.decompress(input, output)?;
            consumed += read;
            written += wrote;
        }
        self.room =
            u32::try_from(written).ok().and_then(|len| self.room.checked_sub(len)).ok_or(Error::MessageTooBig)?;

        let end = end && consumed == bytes.len() && !self.pending;
        if end {
            self.finish()?;
        }
        let payload = place.get(..written).unwrap_or_default();
        let event = if opcode == Opcode::Text {
            let (carried, rest) = self.utf8.push(payload)?; // RFC 6455 §8.1, of what comes out
            if end {
                self.utf8.finish()?;
            }
            Event::Text { carried, rest, end }
        } else {
            Event::Binary { bytes: payload, end }
        };
        let nothing = match event {
            Event::Text { carried, rest, end } => carried.is_none() && rest.is_empty() && !end,
            _ => payload.is_empty() && !end,
        };
        Ok(Step { consumed, event: if nothing { None } else { Some(event) } })
    }

    /// As much as `output` can hold, or as there is: how many bytes went in and came out.
    fn decompress(&mut self, input: &[u8], output: &mut [u8]) -> Result<(usize, usize), Error> {
        let (status, read, wrote) = call(&mut self.inflate, input, output, InflateFlush::NoFlush)?;
        self.pending = wrote == output.len();
        self.at_boundary &= read == 0;
        self.remember(output.get(..wrote).unwrap_or_default());
        match status {
            Status::StreamEnd => self.go_on()?,
            // With room in `output` zlib takes what there is. If ever it does not, nothing goes round in circles here.
            _ if read + wrote == 0 && !input.is_empty() => return Err(Error::Inflate),
            _ => {}
        }
        Ok((read, wrote))
    }

    /// §7.2.3.4: behind a final block the message may go on, with blocks that refer to what came before. For zlib that is
    /// another stream, which knows nothing: it is given the window as its dictionary.
    fn go_on(&mut self) -> Result<(), Error> {
        self.final_blocks_left = self.final_blocks_left.checked_sub(1).ok_or(Error::TooManyFinalBlocks)?;
        self.inflate.reset(false);
        let window = self.recent.make_contiguous();
        self.inflate.set_dictionary(window).map_err(|_| Error::Inflate)?;
        self.at_boundary = true;
        Ok(())
    }

    fn remember(&mut self, output: &[u8]) {
        let output = output.get(output.len().saturating_sub(WINDOW)..).unwrap_or_default();
        let surplus = (self.recent.len() + output.len()).saturating_sub(WINDOW);
        self.recent.drain(..surplus);
        let len = self.recent.len() + output.len();
        if len > self.recent.capacity() {
            // It doubles as it grows, but it never becomes larger than it may be filled.
            self.recent.reserve_exact((2 * len).min(WINDOW) - self.recent.len());
        }
        self.recent.extend(output);
    }

    /// The end of a message that has come out. It must end where a block ends.
    fn finish(&mut self) -> Result<(), Error> {
        // Behind a final block nothing is missing. Nor in a payload without a byte, which libraries send whose flush has
        // nothing to say behind another one.
        if !self.at_boundary {
            // §7.2.2: what the sender has taken off is put back, and a byte more, which must be left over.
            let [a, b, c, d] = TAIL;
            let end = call(&mut self.inflate, &[a, b, c, d, 0], &mut [0; TAIL.len()], InflateFlush::Block)?;
            if end != (Status::Ok, TAIL.len(), 0) {
                return Err(Error::Inflate);
            }
        }
        if self.context == Context::Fresh {
            self.inflate.reset(false);
            self.recent.clear();
        }
        self.next_message();
        Ok(())
    }

    fn next_message(&mut self) {
        self.room = self.limit;
        self.final_blocks_left = FINAL_BLOCKS;
        self.message_open = false;
        self.at_boundary = true;
        self.pending = false;
    }
}

impl core::fmt::Debug for Inflater {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Inflater")
            .field("context", &self.context)
            .field("room", &self.room)
            .field("message_open", &self.message_open)
            .finish_non_exhaustive()
    }
}

/// One call: how it ended, how many bytes went in and how many came out.
fn call(
    inflate: &mut Inflate,
    input: &[u8],
    output: &mut [u8],
    flush: InflateFlush,
) -> Result<(Status, usize, usize), Error> {
    let before = (inflate.total_in(), inflate.total_out());
    let status = inflate.decompress(input, output, flush).map_err(|_| Error::Inflate)?;
    let passed = |after: u64, before| usize::try_from(after - before).unwrap_or(usize::MAX);
    Ok((status, passed(inflate.total_in(), before.0), passed(inflate.total_out(), before.1)))
}
