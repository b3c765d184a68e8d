//! Properties of what frames say: `longwire-frame`'s `Decoder` and `Connection`.

use longwire_frame::{Close, Connection, Decoder, Error, Event, Limits, Mask, Message, Reply, Role, Rsv, State};

use crate::naive::frames::{Fault, Reading, Said, Terms, read};
use crate::{arrivals, choices};

/// Which end reads, on which terms, as the first byte of an input says: our role (bit 0), the negotiated bits (1 to 3), few parts
/// or many (4), the message limit (5 to 7).
#[derive(Clone, Copy)]
pub(crate) struct Machine {
    pub(crate) role: Role,
    negotiated: Rsv,
    pub(crate) limits: Limits,
}

impl Machine {
    pub(crate) fn chosen(machine: u8) -> Self {
        let bits = [Rsv::RSV1, Rsv::RSV2, Rsv::RSV3];
        let chosen = (1..).zip(bits).filter(|(bit, _)| machine >> bit & 1 == 1);
        Self {
            role: if machine & 1 == 0 { Role::Server } else { Role::Client },
            negotiated: chosen.fold(Rsv::NONE, |all, (_, one)| all.union(one)),
            limits: Limits {
                message: [0, 1, 125, 126, 1000, 65_535, 65_536, 1 << 20][usize::from(machine >> 5)],
                parts: if machine & 0x10 == 0 { 4 } else { 1 << 17 },
            },
        }
    }

    const fn decoder(self) -> Decoder {
        Decoder::new(self.role, self.limits).negotiated(self.negotiated)
    }

    const fn connection(self) -> Connection {
        match self.role {
            Role::Server => Connection::server(self.limits),
            Role::Client => Connection::client(self.limits),
        }
        .negotiated(self.negotiated)
    }

    fn terms(self) -> Terms {
        Terms {
            server: self.role == Role::Server,
            bits: self.negotiated.bits(),
            message: self.limits.message.into(),
            parts: self.limits.parts,
        }
    }

    /// The terms of whoever reads what we write.
    pub(crate) fn opposite(self) -> Terms {
        Terms { server: self.role == Role::Client, bits: 0, message: 125, parts: 1 }
    }
}

/// Puts pieces together.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Heard {
    pub(crate) said: Vec<Said>,
    pub(crate) unfinished: Vec<u8>,
}

impl Heard {
    pub(crate) fn event(&mut self, event: Event<'_>) {
        let unfinished = &mut self.unfinished;
        let said = match event {
            Event::Text { carried, rest, end } => {
                unfinished.extend(carried.into_iter().collect::<String>().bytes().chain(rest.bytes()));
                end.then(|| Said::Text(String::from_utf8(unfinished.split_off(0)).expect("pieces of text are text")))
            }
            Event::Binary { bytes, end } => {
                unfinished.extend_from_slice(bytes);
                end.then(|| Said::Binary(unfinished.split_off(0)))
            }
            Event::Extended { rsv, opcode, bytes, end } => {
                unfinished.extend_from_slice(bytes);
                let is_text = opcode == longwire_frame::Opcode::Text;
                end.then(|| Said::Extended(rsv.bits(), is_text, unfinished.split_off(0)))
            }
            Event::Ping(bytes) => Some(Said::Ping(bytes.to_vec())),
            Event::Pong(bytes) => Some(Said::Pong(bytes.to_vec())),
            Event::Close(close) => {
                Some(Said::Close(close.map(|Close { code, reason }| (code.get(), reason.to_owned()))))
            }
        };
        self.said.extend(said);
    }

    pub(crate) fn message(&mut self, message: Message<'_>) {
        assert!(self.unfinished.is_empty(), "no message may overtake another one's end");
        self.said.push(match message {
            Message::Text(text) => Said::Text(text.to_owned()),
            Message::Binary(bytes) => Said::Binary(bytes.to_vec()),
        });
    }
}

/// What a decoder makes of packets; with a fault, how many bytes were there when it was found.
fn decode(machine: Machine, packets: &[&[u8]]) -> (Heard, Option<(Error, usize)>) {
    let (mut decoder, mut heard) = (machine.decoder(), Heard::default());
    let (mut received, mut bytes) = (Vec::new(), 0);
    for packet in packets {
        received.extend_from_slice(packet);
        bytes += packet.len();
        loop {
            let offered = received.len();
            let step = match decoder.decode(&mut received) {
                Ok(step) => step,
                Err(fault) => {
                    // How much of a faulty message was handed out before depends on how it arrived.
                    heard.unfinished.clear();
                    return (heard, Some((fault, bytes)));
                }
            };
            assert!(step.consumed <= offered);
            if step.event.is_none() && step.consumed == 0 {
                break;
            }
            if let Some(event) = step.event {
                heard.event(event);
            }
            let consumed = step.consumed;
            received.drain(..consumed);
        }
        assert!(received.len() <= 130, "what is left is a header or a control frame: {} bytes", received.len());
    }
    (heard, None)
}

/// Frames say the same however they arrive, whoever we are, and nothing is handed out beyond the limits.
///
/// Choices: the machine; the packets.
pub fn decoder(data: &[u8]) {
    let Some(([machine, cut], wire)) = choices(data) else { return };
    let machine = Machine::chosen(machine);
    let message = u64::from(machine.limits.message);
    let [whole, others @ ..] = arrivals(wire, cut).map(|packets| decode(machine, &packets));
    for said in &whole.0.said {
        match said {
            Said::Text(text) => assert!(text.len() as u64 <= message),
            Said::Binary(bytes) => assert!(bytes.len() as u64 <= message),
            // An extension may make a message longer, so it has an eighth and 64 bytes more.
            Said::Extended(_, _, bytes) => assert!(bytes.len() as u64 <= message / 8 * 9 + 7 + 64),
            Said::Ping(_) | Said::Pong(_) | Said::Close(_) => {}
        }
    }
    for (heard, fault) in others {
        assert_eq!(heard, whole.0);
        assert_eq!(fault.map(|(fault, _)| fault), whole.1.map(|(fault, _)| fault));
    }
}

/// A decoder hears what a naive reader does, at every split, and finds a fault with the first byte that makes it certain.
///
/// Choices: the machine.
pub fn naive_frames(data: &[u8]) {
    let Some(([machine], wire)) = choices(data) else { return };
    let machine = Machine::chosen(machine);
    let reading = read(wire, &machine.terms());
    let agrees = |packets: &[&[u8]]| {
        let (heard, fault) = decode(machine, packets);
        assert_eq!(heard.said, reading.said);
        assert_eq!(heard.unfinished, reading.unfinished);
        assert_eq!(fault.map(|(fault, _)| fault.close_code().get()), reading.fault.map(|fault| fault.code));
        fault.map(|(_, bytes)| bytes)
    };
    let single: Vec<&[u8]> = wire.chunks(1).collect();
    assert_eq!(agrees(&single), reading.fault.map(|fault| fault.bytes), "no sooner and no later");
    // Two packets, parted everywhere; of a long wire at 256 places.
    for at in (0..=wire.len()).step_by(1 + wire.len() / 256) {
        let (before, after) = wire.split_at(at);
        let _ = agrees(&[before, after]);
    }
}

/// All that a connection does with what arrives.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Dealings {
    pub(crate) heard: Heard,
    pub(crate) fault: Option<Error>,
    /// The frames that were to be sent.
    pub(crate) replies: Vec<u8>,
    state: State,
}

/// Hands packets to a connection, the short way first where `short` says so.
pub(crate) fn deal(machine: Machine, packets: &[&[u8]], short: bool) -> Dealings {
    const KEY: Mask = Mask::new([0x3A, 0, 0xFF, 7]);
    let (mut connection, mut reply) = (machine.connection(), Reply::new());
    let (mut heard, mut fault, mut replies, mut received) = (Heard::default(), None, Vec::new(), Vec::new());
    'packets: for packet in packets {
        received.extend_from_slice(packet);
        loop {
            if short {
                let before = (connection.state(), connection.message_open(), connection.frame_left());
                let mut rest = received.as_mut_slice();
                let whole = connection.whole().map_or(Ok(None), |whole| whole.next(&mut rest));
                let left = rest.len();
                let consumed = match whole {
                    Ok(Some(message)) => {
                        heard.message(message);
                        received.len() - left
                    }
                    Ok(None) => 0,
                    Err(error) => {
                        fault = Some(connection.fail(error, &mut reply, KEY));
                        break 'packets;
                    }
                };
                assert_eq!(before, (connection.state(), connection.message_open(), connection.frame_left()));
                received.drain(..consumed);
                if consumed > 0 {
                    continue;
                }
            }
            let open = connection.state() == State::Open;
            let step = match connection.receive(&mut received, &mut reply, KEY) {
                Ok(step) => step,
                Err(error) => {
                    fault = Some(error);
                    break 'packets;
                }
            };
            replies.extend_from_slice(reply.as_bytes());
            if let Some(event) = step.event {
                assert!(open, "nothing is heard behind a Close");
                heard.event(event);
            }
            let (consumed, nothing) = (step.consumed, step.event.is_none());
            received.drain(..consumed);
            if consumed == 0 && nothing {
                break;
            }
        }
    }
    if fault.is_some() {
        heard.unfinished.clear();
        replies.extend_from_slice(reply.as_bytes());
        assert_eq!(connection.state(), State::Failed);
        let mut more = [0x81, 0x80, 1, 2, 3, 4, 0, 0];
        assert_eq!(connection.whole(), None);
        let step = connection.receive(&mut more, &mut reply, KEY).expect("nobody looks any more");
        assert!(step.consumed == 8 && step.event.is_none() && reply.is_empty());
    }
    Dealings { heard, fault, replies, state: connection.state() }
}

/// A connection hears what a naive reader does, up to the Close, and answers what must be answered; the short way for whole
/// messages says the same as the long one.
///
/// Choices: the machine; the packets.
pub fn connection(data: &[u8]) {
    let Some(([machine, cut], wire)) = choices(data) else { return };
    let machine = Machine::chosen(machine);
    let mut reading = read(wire, &machine.terms());
    if let Some(close) = reading.said.iter().position(|said| matches!(said, Said::Close(_))) {
        // §5.5.1: what stands behind it is not looked at.
        reading.said.truncate(close + 1);
        (reading.unfinished, reading.fault) = (Vec::new(), None);
    }
    let answers = answers(&reading);
    for packets in arrivals(wire, cut) {
        let short = deal(machine, &packets, true);
        let mut long = deal(machine, &packets, false);
        if matches!(reading.said.last(), Some(Said::Close(_))) {
            // A message that was open before the Close never ends.
            long.heard.unfinished.clear();
        }
        assert_eq!(long.heard.said, reading.said);
        assert_eq!(long.heard.unfinished, reading.unfinished);
        assert_eq!(long.fault.map(|fault| fault.close_code().get()), reading.fault.map(|fault| fault.code));
        let written = read(&long.replies, &machine.opposite());
        assert_eq!((written.fault, written.unfinished), (None, Vec::new()), "an answer may be sent");
        assert!(written.said.iter().map(without_reason).eq(answers.iter().cloned()));
        let state = match (answers.last(), reading.fault) {
            (_, Some(_)) => State::Failed,
            (Some(Said::Close(_)), None) => State::Closed,
            _ => State::Open,
        };
        assert_eq!(long.state, state);
        if state == State::Closed {
            assert_eq!((short.heard.said, short.replies, short.state), (long.heard.said, long.replies, long.state));
        } else {
            assert_eq!(short, long);
        }
    }
}

/// What has to be answered (§5.5.1, §5.5.2, §7.1.7).
fn answers(reading: &Reading) -> Vec<Said> {
    let answer = |said: &Said| match said {
        Said::Ping(payload) => Some(Said::Pong(payload.clone())),
        Said::Close(_) => Some(without_reason(said)),
        _ => None,
    };
    let failure = reading.fault.map(|Fault { code, .. }| Said::Close(Some((code, String::new()))));
    reading.said.iter().filter_map(answer).chain(failure).collect()
}

/// An echo repeats the code, and a failure says in its own words why.
fn without_reason(said: &Said) -> Said {
    match said {
        Said::Close(Some((code, _))) => Said::Close(Some((*code, String::new()))),
        other => other.clone(),
    }
}
