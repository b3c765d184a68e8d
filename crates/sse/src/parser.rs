//! `Parser`: the stream as a client reads it, §9.2.5 and §9.2.6 of the standard clause by clause.
//!
//! Bytes go in as they arrive, in pieces of any size; what is kept between two calls stands in lent memory and in one
//! state, named for what it awaits. Connecting, waiting and coming back are the caller's.

use core::mem;
use core::time::Duration;

use crate::Error;
use crate::memory::Place;

/// Reads an event stream.
///
/// 1. [`Parser::new`] with memory: an array, a `Vec`, or a lent slice. An id or a name may be as long as an eighth of
///    it, at most 1 KiB; the data of an event as long as the rest, at least half of it.
/// 2. [`parse`](Self::parse) what has arrived, again and again until all of it is consumed. It hands out one event a call.
/// 3. [`end_of_stream`](Self::end_of_stream) when the stream ends: the block that was not finished is discarded.
/// 4. Wait for [`retry`](Self::retry), come back with [`last_event_id`](Self::last_event_id), and go on with 2.
///
/// ```
/// use longwire_sse::Parser;
///
/// let mut parser = Parser::new([0; 4096]);
/// let mut seen = String::new();
/// for packet in ["id: 7\ndata: two\nda", "ta: lines\n", "\nevent: bye\ndata\n\n"] {
///     let mut rest = packet.as_bytes();
///     while !rest.is_empty() {
///         let step = parser.parse(rest)?;
///         rest = &rest[step.consumed..];
///         if let Some(event) = step.event {
///             seen += &format!("{} {:?} {:?}\n", event.id, event.name, event.data);
///         }
///     }
/// }
/// assert_eq!(seen, "7 \"message\" \"two\\nlines\"\n7 \"bye\" \"\"\n");
/// # Ok::<(), longwire_sse::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Parser<M> {
    memory: M,
    awaits: Awaits,
    /// A CR ended the last line: an LF that comes next belongs to it.
    after_cr: bool,
    /// A block has data from its first `data` field on, be it empty.
    has_data: bool,
    /// The block has an id: it becomes the last event id when the block ends.
    has_id: bool,
    data: Place,
    name: Place,
    id: Place,
    last_event_id: Place,
    /// The value that is being read, of a field that replaces what was there.
    value: Place,
    /// The number of a `retry` field that is being read, all digits so far.
    digits: Option<u64>,
    retry: Option<u64>,
}

/// What [`Parser::parse`] did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Step<'p> {
    /// How many bytes of the input are dealt with: at least one, if there was one, and all if there is no event.
    pub consumed: usize,
    /// The event whose last byte was among them.
    pub event: Option<Dispatched<'p>>,
}

/// An event as a script would get it. It borrows the parser's memory, until the next call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Dispatched<'p> {
    /// The last event id: of this event, or of the last one that had one. Empty if there was none.
    pub id: &'p str,
    /// The type of the event, `message` if the stream names none.
    pub name: &'p str,
    /// The data, its lines separated by LF.
    pub data: &'p str,
}

/// What the next byte of the stream is.
#[derive(Clone, Copy, Debug)]
enum Awaits {
    /// §9.2.5: one of the three bytes of a byte order mark, at the start of the stream and only there.
    Mark(u8),
    /// The name of a field, as far as it has come, or the colon behind it; or the end of an empty line.
    Name(FieldName),
    /// The one blank that does not belong to the value.
    Blank(Field),
    /// The value, or the end of the line.
    Value(Field),
    /// The end of a line that says nothing: a comment, an unknown field, a value that is to be ignored.
    LineEnd,
    /// Nothing: the stream broke a bound.
    Nothing(Error),
}

/// §9.2.6: the fields that are processed.
#[derive(Clone, Copy, Debug)]
enum Field {
    Data,
    Event,
    Id,
    Retry,
}

impl<M: AsRef<[u8]> + AsMut<[u8]>> Parser<M> {
    /// A parser at the start of a stream, with the memory in which it collects an event.
    pub const fn new(memory: M) -> Self {
        let [name, id, last_event_id, value] = Place::SHORT;
        Self {
            memory,
            awaits: Awaits::Mark(0),
            after_cr: false,
            has_data: false,
            has_id: false,
            data: Place::DATA,
            name,
            id,
            last_event_id,
            value,
            digits: None,
            retry: None,
        }
    }

    /// Reads `input` up to the end of the next event, or all of it. After an event there may be more to read: call again
    /// with what was not consumed.
    ///
    /// # Errors
    ///
    /// [`Error`] if the memory does not hold what the stream says. The stream has failed then, and every further call
    /// says the same, until [`end_of_stream`](Self::end_of_stream).
    pub fn parse(&mut self, input: &[u8]) -> Result<Step<'_>, Error> {
        match self.read(input) {
            Ok((rest, dispatch)) => {
                let consumed = input.len() - rest;
                Ok(Step { consumed, event: dispatch.then(|| self.take_event()) })
            }
            Err(error) => {
                self.awaits = Awaits::Nothing(error);
                Err(error)
            }
        }
    }

    /// The stream has ended: what was not finished by an empty line is forgotten, its id too. The parser stands at the
    /// start of the next stream; the last event id and the reconnection time stay.
    pub fn end_of_stream(&mut self) {
        // §9.2.6: at the end of the file pending data is discarded.
        self.has_id = false;
        self.forget_block();
        self.after_cr = false;
        self.awaits = Awaits::Mark(0);
    }

    /// The id of the last block that had one and was finished, dispatched or not: what `Last-Event-ID` says when the client comes
    /// back. Empty if there is none; the field is left out then. §9.2.4: what is not empty is sent.
    pub fn last_event_id(&self) -> &str {
        self.last_event_id.text(self.memory.as_ref())
    }

    /// The reconnection time, if the stream has set one. It is the server's wish: the caller decides what is too long.
    pub fn retry(&self) -> Option<Duration> {
        self.retry.map(Duration::from_millis)
    }

    /// Reads to the end of a block with data, or of the input. Returns how much is left and whether there is an event.
    fn read(&mut self, input: &[u8]) -> Result<(usize, bool), Error> {
        let mut rest = input;
        while let Some((&first, behind)) = rest.split_first() {
            // §9.2.5: CR, LF and CRLF each end one line, however they arrive.
            if mem::take(&mut self.after_cr) && first == b'\n' {
                rest = behind;
                continue;
            }
            let len = rest.iter().position(|byte| matches!(byte, b'\r' | b'\n')).unwrap_or(rest.len());
            let (text, from_end) = rest.split_at_checked(len).unwrap_or_default();
            self.read_text(text)?;
            let Some((&end, behind)) = from_end.split_first() else { break };
            self.after_cr = end == b'\r';
            rest = behind;
            if self.end_line()? && self.end_block()? {
                return Ok((rest.len(), true));
            }
        }
        Ok((0, false))
    }

    /// Reads bytes of one line, without its end.
    fn read_text(&mut self, mut text: &[u8]) -> Result<(), Error> {
        while let Some((&byte, behind)) = text.split_first() {
            match self.awaits {
                Awaits::Mark(seen) => match (seen, byte) {
                    (0, 0xEF) => (self.awaits, text) = (Awaits::Mark(1), behind),
                    (1, 0xBB) => (self.awaits, text) = (Awaits::Mark(2), behind),
                    (2, 0xBF) => (self.awaits, text) = (Awaits::Name(FieldName::EMPTY), behind),
                    (0, _) => self.awaits = Awaits::Name(FieldName::EMPTY),
                    // Half a mark is the start of a name that no field has.
                    _ => self.awaits = Awaits::LineEnd,
                },
                Awaits::Name(name) => {
                    let next = match byte {
                        b':' => self.begin_field(name)?.map(Awaits::Blank),
                        _ => name.with(byte).map(Awaits::Name),
                    };
                    (self.awaits, text) = (next.unwrap_or(Awaits::LineEnd), behind);
                }
                Awaits::Blank(field) => {
                    // §9.2.6: one blank after the colon is removed, and no more than one.
                    self.awaits = Awaits::Value(field);
                    text = if byte == b' ' { behind } else { text };
                }
                Awaits::Value(field) => {
                    self.read_value(field, text)?;
                    text = &[];
                }
                Awaits::LineEnd => text = &[],
                Awaits::Nothing(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// The name of a field is complete. `None`: the line says nothing.
    fn begin_field(&mut self, name: FieldName) -> Result<Option<Field>, Error> {
        // §9.2.6: names are compared byte by byte; any other field is ignored. A line without a name is a comment.
        let field = match name.as_bytes() {
            b"data" => Field::Data,
            b"event" => Field::Event,
            b"id" => Field::Id,
            b"retry" => Field::Retry,
            _ => return Ok(None),
        };
        self.value.clear();
        self.digits = None;
        // §9.2.6: lines of data are joined by LF.
        if matches!(field, Field::Data) && mem::replace(&mut self.has_data, true) {
            self.read_value(Field::Data, b"\n")?;
        }
        Ok(Some(field))
    }

    /// A part of a field's value has come.
    fn read_value(&mut self, field: Field, bytes: &[u8]) -> Result<(), Error> {
        let memory = self.memory.as_mut();
        match field {
            Field::Data => self.data.push(memory, bytes).ok_or(Error::DataTooLong),
            Field::Event => self.value.push(memory, bytes).ok_or(Error::NameTooLong),
            Field::Id => {
                let text = bytes.split(|&byte| byte == 0).next().unwrap_or_default();
                self.value.push(memory, text).ok_or(Error::IdTooLong)?;
                // §9.2.6: an id with NUL is ignored, and the one before it stands.
                if text.len() < bytes.len() {
                    self.awaits = Awaits::LineEnd;
                }
                Ok(())
            }
            Field::Retry => {
                for byte in bytes {
                    // §9.2.6: a value that is not all digits is ignored.
                    if !byte.is_ascii_digit() {
                        self.awaits = Awaits::LineEnd;
                        break;
                    }
                    let number = self.digits.unwrap_or(0);
                    self.digits = Some(number.saturating_mul(10).saturating_add(u64::from(byte - b'0')));
                }
                Ok(())
            }
        }
    }

    /// A line has ended. Says whether it was empty.
    fn end_line(&mut self) -> Result<bool, Error> {
        match mem::replace(&mut self.awaits, Awaits::Name(FieldName::EMPTY)) {
            Awaits::Mark(0) | Awaits::Name(FieldName::EMPTY) => return Ok(true),
            // §9.2.6: a line without a colon is a name, and the value is empty.
            Awaits::Name(name) => {
                if let Some(field) = self.begin_field(name)? {
                    self.end_field(field)?;
                }
            }
            Awaits::Blank(field) | Awaits::Value(field) => self.end_field(field)?,
            Awaits::Mark(_) | Awaits::LineEnd => {}
            Awaits::Nothing(error) => return Err(error),
        }
        Ok(false)
    }

    /// The value of a field is complete: a later one of the same name replaces an earlier one, but for data.
    fn end_field(&mut self, field: Field) -> Result<(), Error> {
        let memory = self.memory.as_mut();
        match field {
            Field::Data => {}
            Field::Event => {
                self.value.repair(memory).ok_or(Error::NameTooLong)?;
                mem::swap(&mut self.value, &mut self.name);
            }
            Field::Id => {
                self.value.repair(memory).ok_or(Error::IdTooLong)?;
                mem::swap(&mut self.value, &mut self.id);
                self.has_id = true;
            }
            Field::Retry => self.retry = self.digits.or(self.retry),
        }
        Ok(())
    }

    /// An empty line ends the block: §9.2.6, "dispatch the event". Says whether there is one.
    fn end_block(&mut self) -> Result<bool, Error> {
        // The last event id is set first, whether the block is dispatched or not.
        if mem::take(&mut self.has_id) {
            mem::swap(&mut self.id, &mut self.last_event_id);
        }
        if self.has_data {
            self.data.repair(self.memory.as_mut()).ok_or(Error::DataTooLong)?;
        } else {
            self.forget_block();
        }
        Ok(self.has_data)
    }

    fn take_event(&mut self) -> Dispatched<'_> {
        let (name, data) = (self.name, self.data);
        self.forget_block();
        let memory = self.memory.as_ref();
        Dispatched {
            id: self.last_event_id.text(memory),
            name: if name.is_empty() { "message" } else { name.text(memory) },
            data: data.text(memory),
        }
    }

    fn forget_block(&mut self) {
        self.has_data = false;
        self.data.clear();
        self.name.clear();
    }
}

/// The name of a field, as long as it may still be one of the four that count: they have five letters at most.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct FieldName {
    letters: [u8; 5],
    len: u8,
}

impl FieldName {
    const EMPTY: Self = Self { letters: [0; 5], len: 0 };

    /// With one more letter; `None` if it has too many.
    fn with(mut self, letter: u8) -> Option<Self> {
        *self.letters.get_mut(usize::from(self.len))? = letter;
        self.len += 1;
        Some(self)
    }

    fn as_bytes(&self) -> &[u8] {
        self.letters.get(..usize::from(self.len)).unwrap_or_default()
    }
}
