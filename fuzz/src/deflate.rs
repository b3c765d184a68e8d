//! Properties of compression, `longwire-frame`'s feature `deflate`.

use longwire_frame::{Context, Deflater, Error, Event, Inflater, Limits, Opcode};

use crate::{arrivals, choices};

const CONTEXTS: [Context; 2] = [Context::Fresh, Context::TakenOver];

/// Compressed bytes come to the same however they arrive and however little memory each step is lent; no more comes out than the
/// limit allows; and a fault leaves nothing behind.
///
/// Choices: the kind of message (bit 0), the context (1), the message limit (2 to 4), the memory (5 to 7); the packets.
pub fn inflate(data: &[u8]) {
    let Some(([machine, cut], bytes)) = choices(data) else { return };
    let opcode = if machine & 1 == 0 { Opcode::Text } else { Opcode::Binary };
    let context = CONTEXTS[usize::from(machine >> 1 & 1)];
    let message = [0, 1, 5, 100, 1000, 32_768, 65_536, 1 << 20][usize::from(machine >> 2 & 7)];
    let memory = [4, 5, 7, 64, 258, 1000, 32_768, 1 << 20][usize::from(machine >> 5)];
    let limits = Limits { message, parts: 1 };

    let [whole, others @ ..] = arrivals(bytes, cut).map(|packets| {
        let mut inflater = Inflater::new(context, limits);
        let first = read(&mut inflater, opcode, &packets, memory, limits);
        // Whatever that was, the next message is read; after a fault with nothing of the last one.
        let hello = [0xf2, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00];
        let again = [0xf2, 0x00, 0x11, 0x00, 0x00];
        if message >= 5 {
            let next = read(&mut inflater, Opcode::Text, &[&hello], memory, limits);
            assert_eq!(next.as_deref(), Ok(&b"Hello"[..]));
            let back = read(&mut inflater, Opcode::Text, &[&again], memory, limits);
            assert_eq!(back.is_ok(), context == Context::TakenOver);
        }
        assert!(inflater.capacity() <= 47_552 + (32 << 10));
        first
    });
    for other in others {
        match (&whole, other) {
            // Where two things are wrong, the way they come may decide which is found first.
            (Err(_), Err(_)) => {}
            (whole, other) => assert_eq!(*whole, other),
        }
    }
}

/// A message, in the packets in which it arrives.
fn read(
    inflater: &mut Inflater,
    opcode: Opcode,
    packets: &[&[u8]],
    memory: usize,
    limits: Limits,
) -> Result<Vec<u8>, Error> {
    let mut memory = vec![0; memory];
    let mut out = Vec::new();
    let last = packets.len().saturating_sub(1);
    for (at, mut bytes) in packets.iter().copied().chain(packets.is_empty().then_some(&[][..])).enumerate() {
        loop {
            let step = inflater.inflate(opcode, bytes, at == last, &mut memory)?;
            bytes = &bytes[step.consumed..];
            let end = match step.event {
                Some(Event::Text { carried, rest, end }) => {
                    out.extend(carried.into_iter().collect::<String>().bytes().chain(rest.bytes()));
                    end
                }
                Some(Event::Binary { bytes, end }) => {
                    out.extend_from_slice(bytes);
                    end
                }
                Some(other) => panic!("{other} comes out of no compressor"),
                None if step.consumed == 0 => break,
                None => false,
            };
            assert!(out.len() <= limits.message as usize);
            if end {
                assert!(bytes.is_empty() && at == last && !inflater.message_open());
                assert!(opcode == Opcode::Binary || str::from_utf8(&out).is_ok());
                return Ok(out);
            }
        }
        assert!(bytes.is_empty() && inflater.message_open(), "all is taken, and more is to come");
    }
    panic!("the last packet ends the message, or fails it");
}

/// What is compressed is inflated to what it was, with any window, with and without takeover, in pieces, and however it arrives.
///
/// Choices: the context (bit 0) and the window (1 to 3); the packets. The first byte of each piece says how long it is (7 bits)
/// and whether its message ends with it.
pub fn deflate_round_trip(data: &[u8]) {
    let Some(([machine, cut], mut pieces)) = choices(data) else { return };
    let context = CONTEXTS[usize::from(machine & 1)];
    let bits = 9 + (machine >> 1 & 7) % 7;
    let mut deflater = Deflater::new(context, bits).expect("9 to 15");
    let mut inflaters = [(); 3].map(|()| Inflater::new(context, Limits::DEFAULT));
    let (mut message, mut compressed) = (Vec::new(), Vec::new());
    while let [length, rest @ ..] = pieces {
        let (piece, rest) = rest.split_at(usize::from(length & 0x7F).min(rest.len()));
        pieces = rest;
        let end = length & 0x80 != 0 || pieces.is_empty();
        let before = compressed.len();
        deflater.piece(piece, end, &mut compressed);
        message.extend_from_slice(piece);
        if !end {
            continue;
        }
        assert!(compressed.len() > before, "an end is a byte at least");
        for (inflater, packets) in inflaters.iter_mut().zip(arrivals(&compressed, cut)) {
            assert_eq!(read(inflater, Opcode::Binary, &packets, 100, Limits::DEFAULT).as_ref(), Ok(&message));
        }
        message.clear();
        compressed.clear();
    }
}
