//! A request's body: taken whole, by its length or in chunks, up to `Limits::body`. RFC 9112 §6 and §7.1.

use longwire_handshake::{FieldSlots, Refusal, Request, Token};

use super::input::Input;
use super::{Session, Visit, head};
use crate::handler::Handler;
use crate::queue::growth;

/// What is still to come of a body. The carried input holds the head and what has come.
pub(crate) struct Body {
    head: u32,
    left: Left,
}

#[derive(Clone, Copy)]
enum Left {
    Length(u32),
    Chunks(Chunks),
}

/// Begins a body whose head is `head`.
pub(super) fn begin<H: Handler>(visit: &mut Visit<'_, H>, head: &[u8], length: Option<u32>) {
    let left = length.map_or(Left::Chunks(Chunks::new()), Left::Length);
    *visit.input = Some(Box::new(Input { carry: head.to_vec(), ..Input::default() }));
    visit.become_session(Session::Body(Body { head: head.len() as u32, left }));
}

/// Takes what belongs to the body. With its last byte the request is handed to the application.
pub(super) fn receive<H: Handler>(visit: &mut Visit<'_, H>, bytes: &mut [u8]) -> usize {
    let most = visit.sending.limits.body as usize;
    let carry = visit.input.as_ref().map(|input| (input.carry.len(), input.carry.capacity()));
    if carry.is_some_and(|(length, capacity)| !visit.may_grow(growth(length, capacity, bytes.len()))) {
        return bytes.len();
    }
    let Session::Body(body) = &mut visit.sending.slots[visit.key.slot].session else { return 0 };
    let Some(input) = visit.input.as_mut() else { return 0 };
    let (taken, whole) = match &mut body.left {
        Left::Length(left) => {
            let taken = bytes.len().min(*left as usize);
            input.carry.extend_from_slice(&bytes[..taken]);
            *left -= taken as u32;
            (taken, *left == 0)
        }
        Left::Chunks(chunks) => match chunks.take(bytes, &mut input.carry, body.head as usize + most) {
            Ok((taken, whole)) => (taken, whole),
            Err(refusal) => {
                refuse(visit, refusal);
                return bytes.len();
            }
        },
    };
    if whole {
        let start = body.head as usize;
        let carry = visit.input.take().map(|input| input.carry).unwrap_or_default();
        let (head, body) = carry.split_at(start);
        let mut slots = FieldSlots::new();
        let request = Request::parse(head, &mut slots).expect("a head that was parsed before");
        head::request(visit, &request, head, body);
    }
    taken
}

/// The peer broke a rule in the body, or was too slow with it.
pub(super) fn refuse<H: Handler>(visit: &mut Visit<'_, H>, refusal: Refusal) {
    give_up(visit, |visit, request| {
        head::refuse_with(visit, refusal, request, request.is_some_and(Request::is_head));
    });
}

/// The rest of a request is not awaited any more: gives its answer, with its head if that was whole and did not have to go for
/// lack of room.
pub(super) fn give_up<H: Handler>(
    visit: &mut Visit<'_, H>,
    answer: impl FnOnce(&mut Visit<'_, H>, Option<&Request<'_, '_>>),
) {
    let head = match &visit.sending.slots[visit.key.slot].session {
        Session::Body(body) => body.head as usize,
        _ => 0,
    };
    let carry = visit.input.take().map(|input| input.carry).unwrap_or_default();
    let mut slots = FieldSlots::new();
    let request = carry.get(..head).and_then(|head| Request::parse(head, &mut slots).ok());
    answer(visit, request.as_ref());
}

/// The chunked coding, incrementally (RFC 9112 §7.1). Extensions are read over; trailer fields are read over, too, and nothing
/// is made of them.
#[derive(Clone, Copy, Debug)]
struct Chunks {
    expects: Expects,
    /// Bytes of this chunk still to come, or its size as far as it was read.
    left: u64,
    /// Whether the present line has begun.
    begun: bool,
    /// Bytes of all lines, so that they have an end.
    overhead: u32,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Expects {
    Size,
    /// Blanks behind a size stand only before an extension.
    Blank,
    Extension,
    SizeEnd,
    Data,
    DataCr,
    DataLf,
    /// A trailer field's name, or the empty line behind all of them.
    TrailerName,
    TrailerValue,
    TrailerEnd,
    FinalEnd,
}

impl Chunks {
    /// Sizes, extensions and trailer fields may have so many bytes …
    const OVERHEAD: u32 = 16 << 10;
    /// … and so many more for each byte of the body (one-byte chunks need five) …
    const OVERHEAD_PER_BYTE: usize = 8;
    /// … as far as its first so many bytes.
    const OVERHEAD_BYTES: usize = 16 << 20;

    const fn new() -> Self {
        Self { expects: Expects::Size, left: 0, begun: false, overhead: 0 }
    }

    /// Decodes into `body`, which may have `most` bytes. Returns what was taken and whether the body is whole.
    fn take(&mut self, bytes: &[u8], body: &mut Vec<u8>, most: usize) -> Result<(usize, bool), Refusal> {
        let mut at = 0;
        while let Some(&byte) = bytes.get(at) {
            if self.expects == Expects::Data {
                let taken = (bytes.len() - at).min(self.left as usize);
                body.extend_from_slice(&bytes[at..at + taken]);
                self.left -= taken as u64;
                at += taken;
                if self.left == 0 {
                    self.expects = Expects::DataCr;
                }
                continue;
            }
            at += 1;
            if self.overhead as usize
                > Self::OVERHEAD as usize + Self::OVERHEAD_PER_BYTE * body.len().min(Self::OVERHEAD_BYTES)
            {
                return Err(Refusal::BadChunk);
            }
            self.overhead += 1;
            let begun = std::mem::replace(&mut self.begun, true);
            self.expects = match (self.expects, byte) {
                (Expects::Size, b'\r' | b';' | b' ' | b'\t') if !begun => return Err(Refusal::BadChunk),
                (Expects::Size, b'\r') => Expects::SizeEnd,
                (Expects::Size | Expects::Blank, b';') => Expects::Extension,
                (Expects::Size | Expects::Blank, b' ' | b'\t') => Expects::Blank,
                (Expects::Size, byte) => {
                    let digit = char::from(byte).to_digit(16).ok_or(Refusal::BadChunk)?;
                    // A size that no 64 bits hold is no size.
                    let shifted = self.left.checked_mul(16).ok_or(Refusal::BadChunk)?;
                    self.left = shifted + u64::from(digit);
                    Expects::Size
                }
                (Expects::Extension, b'\r') => Expects::SizeEnd,
                (Expects::Extension, b'\t' | b' '..=b'~' | 0x80..) => Expects::Extension,
                (Expects::SizeEnd, b'\n') if self.left == 0 => self.next(Expects::TrailerName),
                (Expects::SizeEnd, b'\n') if self.left > (most - body.len()) as u64 => {
                    return Err(Refusal::BodyTooLarge);
                }
                (Expects::SizeEnd, b'\n') => Expects::Data,
                (Expects::DataCr, b'\r') => Expects::DataLf,
                (Expects::DataLf, b'\n') => self.next(Expects::Size),
                (Expects::TrailerName, b'\r') if !begun => Expects::FinalEnd,
                (Expects::TrailerName, b':') if begun => Expects::TrailerValue,
                (Expects::TrailerName, byte) if Token::may_contain(byte) => Expects::TrailerName,
                (Expects::TrailerValue, b'\r') => Expects::TrailerEnd,
                (Expects::TrailerValue, b'\t' | b' '..=b'~' | 0x80..) => Expects::TrailerValue,
                (Expects::TrailerEnd, b'\n') => self.next(Expects::TrailerName),
                (Expects::FinalEnd, b'\n') => return Ok((at, true)),
                _ => return Err(Refusal::BadChunk),
            };
        }
        Ok((at, false))
    }

    const fn next(&mut self, expects: Expects) -> Expects {
        self.begun = false;
        expects
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Decodes in steps of `step` bytes: the body and what was left over.
    fn decode(coded: &[u8], step: usize, most: usize) -> Result<Option<(Vec<u8>, usize)>, Refusal> {
        let (mut chunks, mut body, mut used) = (Chunks::new(), Vec::new(), 0);
        for piece in coded.chunks(step) {
            let (taken, whole) = chunks.take(piece, &mut body, most)?;
            used += taken;
            if whole {
                return Ok(Some((body, coded.len() - used)));
            }
        }
        Ok(None)
    }

    #[test]
    fn chunks_are_joined_however_they_arrive() {
        let coded = b"4 ;x\r\nWiki\r\n6;name=\"v\"\r\npedia \r\nB\r\nin \r\nchunks\r\n0\r\nTrailer: x\r\n\r\nGET";
        for step in 1..=coded.len() {
            let (body, _) = decode(coded, step, 100).unwrap().expect("whole");
            assert_eq!(body, b"Wikipedia in \r\nchunks");
        }
        assert_eq!(decode(coded, coded.len(), 100).unwrap().unwrap().1, 3);
        assert_eq!(decode(b"0\r\n\r\n", 1, 0), Ok(Some((Vec::new(), 0))));
        assert_eq!(decode(b"5\r\nabc", 2, 10), Ok(None));
    }

    #[test]
    fn the_limit_is_inclusive_and_checked_before_a_size_can_wrap() {
        assert!(decode(b"5\r\nabcde\r\n0\r\n\r\n", 1, 5).unwrap().is_some());
        assert_eq!(decode(b"6\r\n", 1, 5), Err(Refusal::BodyTooLarge));
        assert_eq!(decode(b"3\r\nabc\r\n3\r\n", 1, 5), Err(Refusal::BodyTooLarge));
        assert_eq!(decode(b"ffffffffffffffff\r\n", 1, u32::MAX as usize), Err(Refusal::BodyTooLarge));
        assert_eq!(decode(b"10000000000000000\r\n", 1, u32::MAX as usize), Err(Refusal::BadChunk));
    }

    #[test]
    fn what_is_no_chunk_is_refused() {
        for bad in [
            &b"\r\n"[..],
            b";x\r\n",
            b"x\r\n",
            b"0x5\r\n",
            b"+5\r\n",
            b" 5\r\n",
            b"5\nabcde",
            b"5\r\nabcdeX",
            b"5\r\nabcde\rX",
            b"5;\n",
            b"5\rX",
            b"0\r\nA: b\nC",
            b"0\r\n\rX",
            b"5;\x00\r\n",
            b"5 5\r\nabcde",
            b"0\r\nno colon\r\n",
            b"0\r\n: no name\r\n",
            b"0\r\n blank: first\r\n",
        ] {
            assert_eq!(decode(bad, 1, 100), Err(Refusal::BadChunk), "{:?}", String::from_utf8_lossy(bad));
        }
        let endless = [b"5;".as_slice(), &[b'x'; 20_000]].concat();
        assert_eq!(decode(&endless, 7, 100), Err(Refusal::BadChunk));
        let trailers = [b"0\r\n".as_slice(), &b"a: b\r\n".repeat(3_000)].concat();
        assert_eq!(decode(&trailers, 7, 100), Err(Refusal::BadChunk));
        let fine = [b"1\r\nx\r\n".repeat(20_000).as_slice(), b"0\r\n\r\n"].concat();
        assert!(decode(&fine, 7, 20_000).unwrap().is_some());
    }
}
