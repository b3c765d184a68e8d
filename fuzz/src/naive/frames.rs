//! The frames of RFC 6455, read by somebody in no hurry. It names nothing of any implementation: hold your own against it.

/// Who reads, and what was agreed upon.
#[derive(Clone, Copy, Debug)]
pub struct Terms {
    /// A server wants every frame masked, a client none (§5.1).
    pub server: bool,
    /// The reserved bits that an extension gave a meaning, where a frame's first byte has them.
    pub bits: u8,
    /// Payload bytes of a message. What an extension has marked may have an eighth and 64 bytes more.
    pub message: u64,
    /// Frames of a message.
    pub parts: u32,
}

/// What is said: whole messages, and control frames where they stand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Said {
    Text(String),
    Binary(Vec<u8>),
    /// A message that is an extension's, as it came: its bits, whether it will be text, its payload.
    Extended(u8, bool, Vec<u8>),
    Ping(Vec<u8>),
    Pong(Vec<u8>),
    Close(Option<(u16, String)>),
}

/// All that the bytes say.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Reading {
    pub said: Vec<Said>,
    /// What there is of a message without an end, up to its last whole character.
    pub unfinished: Vec<u8>,
    pub fault: Option<Fault>,
}

/// What is wrong, as the close code that answers it (§7.4.1), and how many bytes have to be there for that to be certain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fault {
    pub code: u16,
    pub bytes: usize,
}

/// A message that has begun.
struct Open {
    opcode: u8,
    bits: u8,
    room: u64,
    parts: u32,
    payload: Vec<u8>,
    /// So many bytes of a text are whole characters.
    whole: usize,
}

/// Reads frame after frame, up to the first fault.
#[must_use]
pub fn read(wire: &[u8], terms: &Terms) -> Reading {
    let (mut said, mut open, mut at) = (Vec::new(), None, 0);
    let fault = loop {
        match frame(wire, at, terms, &mut open, &mut said) {
            Ok(Some(next)) => at = next,
            Ok(None) => break None,
            Err((code, bytes)) => break Some(Fault { code, bytes }),
        }
    };
    let unfinished = open.filter(|_| fault.is_none()).map(|open| open.payload[..open.whole].to_vec());
    Reading { said, unfinished: unfinished.unwrap_or_default(), fault }
}

/// The frame that begins at `at`: where the next one does, or nothing if its end is not there.
fn frame(
    wire: &[u8],
    at: usize,
    terms: &Terms,
    open: &mut Option<Open>,
    said: &mut Vec<Said>,
) -> Result<Option<usize>, (u16, usize)> {
    let Some(first) = wire.get(at) else { return Ok(None) };
    let (fin, bits, opcode) = (first & 0x80 != 0, first & 0x70, first & 0x0F);
    let control = opcode >= 8;
    let wrong = bits & !terms.bits != 0 // §5.2
        || !matches!(opcode, 0..=2 | 8..=10) // §5.2
        || control && !fin // §5.5
        || bits != 0 && !matches!(opcode, 1 | 2) // RFC 7692 §6
        || opcode == 0 && open.is_none() // §5.4
        || matches!(opcode, 1 | 2) && open.is_some(); // §5.4
    if wrong {
        return Err((1002, at + 1));
    }
    if !control && open.as_ref().map_or(0, |open| open.parts) == terms.parts {
        return Err((1009, at + 1)); // §10.4
    }
    let Some(second) = wire.get(at + 1) else { return Ok(None) };
    let (masked, short) = (second & 0x80 != 0, second & 0x7F);
    // §5.1, §5.5, §5.5.1
    if masked != terms.server || control && short > 125 || opcode == 8 && short == 1 {
        return Err((1002, at + 2));
    }
    let room = match open {
        _ if control => 125,
        Some(open) => open.room,
        None if bits == 0 => terms.message,
        None => terms.message + terms.message / 8 + 64,
    };
    let Some((len, start)) = length(wire, at + 2, short, room)? else { return Ok(None) };
    let start = start + if masked { 4 } else { 0 };
    if wire.len() < start {
        return Ok(None);
    }
    let key = if masked { &wire[start - 4..start] } else { &[0; 4] };
    let payload = wire[start..].iter().take(len).zip(key.iter().cycle()).map(|(byte, key)| byte ^ key); // §5.3
    let next = Some(start + len).filter(|next| *next <= wire.len());
    if control {
        if next.is_some() {
            said.push(control_frame(opcode, payload.collect()).map_err(|code| (code, start + len))?);
        }
        return Ok(next);
    }
    let message = open.get_or_insert_with(|| Open { opcode, bits, room, parts: 0, payload: Vec::new(), whole: 0 });
    message.room -= len as u64;
    message.parts += 1;
    let text = message.opcode == 1 && message.bits == 0;
    for (before, byte) in payload.enumerate() {
        message.payload.push(byte);
        match str::from_utf8(&message.payload[message.whole..]) {
            Err(error) if text && error.error_len().is_some() => return Err((1007, start + before + 1)), // §8.1
            Err(error) if text => message.whole += error.valid_up_to(),
            _ => message.whole = message.payload.len(),
        }
    }
    if let Some(end) = next.filter(|_| fin) {
        let Some(Open { opcode, bits, payload, .. }) = open.take() else { unreachable!("it is open") };
        said.push(match (opcode, bits) {
            (1, 0) => Said::Text(String::from_utf8(payload).map_err(|_| (1007, end))?), // §8.1
            (_, 0) => Said::Binary(payload),
            (opcode, bits) => Said::Extended(bits, opcode == 1, payload),
        });
    }
    Ok(next)
}

/// What a length says that begins at `at`, and where it ends (§5.2). It is judged as soon as every end of it would be wrong.
fn length(wire: &[u8], at: usize, short: u8, room: u64) -> Result<Option<(usize, usize)>, (u16, usize)> {
    let (digits, least) = match short {
        126 => (2, 126),
        127 => (8, 1 << 16),
        _ => (0, 0),
    };
    let largest = u64::MAX >> 1;
    for known in 0..=digits {
        let Some(begun) = wire.get(at..at + known) else { return Ok(None) };
        let ended_by = |fill: u8| {
            let all = begun.iter().copied().chain(std::iter::repeat_n(fill, digits - known));
            all.fold(0, |number, byte| number << 8 | u64::from(byte))
        };
        let (low, high) =
            if digits == 0 { (u64::from(short), u64::from(short)) } else { (ended_by(0), ended_by(0xFF)) };
        if high < least || low > largest {
            return Err((1002, at + known)); // §5.2
        }
        if low > room && high <= largest {
            return Err((1009, at + known)); // §10.4
        }
        if known == digits {
            // Within the room, and no room is that large.
            return Ok(Some((usize::try_from(low).unwrap_or(usize::MAX), at + digits)));
        }
    }
    unreachable!("the last round knows all digits")
}

/// §5.5: a control frame that is all there; or the close code for what it must not say.
fn control_frame(opcode: u8, payload: Vec<u8>) -> Result<Said, u16> {
    match (opcode, payload.as_slice()) {
        (9, _) => Ok(Said::Ping(payload)),
        (10, _) => Ok(Said::Pong(payload)),
        (_, [higher, lower, reason @ ..]) => {
            let code = u16::from_be_bytes([*higher, *lower]);
            // §7.4, and IANA's registry.
            if !matches!(code, 1000..=1003 | 1007..=1014 | 3000..=4999) {
                return Err(1002);
            }
            let reason = str::from_utf8(reason).map_err(|_| 1007_u16)?; // §5.5.1
            Ok(Said::Close(Some((code, reason.to_owned()))))
        }
        _ => Ok(Said::Close(None)),
    }
}
