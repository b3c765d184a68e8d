//! RFC 7692 §6: compressed messages in frames, there and back, and to whom they may go.

use longwire_frame::{
    Assembly, Connection, Context, Deflater, Event, Header, Inflater, Limits, Mask, Message, Opcode, Reply, Rsv,
};

/// One side that has negotiated compression, and makes messages of what it is sent.
pub(crate) struct Receiver {
    connection: Connection,
    inflater: Inflater,
    memory: Vec<u8>,
    assembly: Assembly,
    kept: Vec<u8>,
    pub(crate) heard: Vec<(Opcode, Vec<u8>)>,
}

impl Receiver {
    /// A client, with memory for so many bytes in one step.
    pub(crate) fn new(context: Context, memory: usize) -> Self {
        Self {
            connection: Connection::client(Limits::DEFAULT).negotiated(Rsv::RSV1),
            inflater: Inflater::new(context, Limits::DEFAULT),
            memory: vec![0; memory],
            assembly: Assembly::new(),
            kept: Vec::new(),
            heard: Vec::new(),
        }
    }

    pub(crate) fn give(&mut self, bytes: &[u8]) {
        self.kept.extend(bytes);
        let mut kept = std::mem::take(&mut self.kept);
        let mut at = 0;
        loop {
            let step = self.connection.receive(&mut kept[at..], &mut Reply::new(), Mask::NONE).unwrap();
            at += step.consumed;
            match step.event {
                Some(Event::Extended { opcode, bytes, end, rsv }) => {
                    assert_eq!(rsv, Rsv::RSV1);
                    self.inflate(opcode, bytes, end);
                }
                Some(event) => hear(event, &mut self.assembly, &mut self.heard),
                None if step.consumed == 0 => break,
                None => {}
            }
        }
        self.kept = kept.split_off(at);
    }

    fn inflate(&mut self, opcode: Opcode, mut bytes: &[u8], end: bool) {
        loop {
            let step = self.inflater.inflate(opcode, bytes, end, &mut self.memory).unwrap();
            bytes = &bytes[step.consumed..];
            let Some(event) = step.event else {
                if step.consumed == 0 {
                    return;
                }
                continue;
            };
            hear(event, &mut self.assembly, &mut self.heard);
            if let Event::Text { end: true, .. } | Event::Binary { end: true, .. } = event {
                return;
            }
        }
    }
}

fn hear(event: Event<'_>, assembly: &mut Assembly, heard: &mut Vec<(Opcode, Vec<u8>)>) {
    if let Some(message) = assembly.push(event) {
        heard.push((message.kind().opcode(), message.as_bytes().to_vec()));
        assembly.clear();
    }
}

/// A frame of a server with that payload.
pub(crate) fn frame(header: Header, payload: &[u8]) -> Vec<u8> {
    let mut frame = vec![0; Header::MAX_LEN];
    let len = header.encode(&mut frame).unwrap();
    assert_eq!(header.len, payload.len() as u64);
    frame.truncate(len);
    frame.extend(payload);
    frame
}

/// What a server sends that compresses this message.
fn compressed(deflater: &mut Deflater, message: Message<'_>) -> Vec<u8> {
    let mut payload = Vec::new();
    deflater.message(message.as_bytes(), &mut payload);
    let header = Connection::server(Limits::DEFAULT).message_header(message, Mask::NONE).unwrap();
    frame(header.deflated(payload.len()), &payload)
}

fn plain(message: Message<'_>) -> Vec<u8> {
    frame(Connection::server(Limits::DEFAULT).message_header(message, Mask::NONE).unwrap(), message.as_bytes())
}

#[test]
fn section_6_1_the_bit_stands_on_the_first_frame_of_a_message_and_on_no_other() {
    let header = |opcode| Header { fin: true, rsv: Rsv::NONE, opcode, mask: None, len: 1000 };
    for (opcode, rsv) in [
        (Opcode::Text, Rsv::RSV1),
        (Opcode::Binary, Rsv::RSV1),
        (Opcode::Continuation, Rsv::NONE),
        (Opcode::Ping, Rsv::NONE),
        (Opcode::Pong, Rsv::NONE),
        (Opcode::Close, Rsv::NONE),
    ] {
        assert_eq!(header(opcode).deflated(7), Header { rsv, len: 7, ..header(opcode) });
    }
}

#[test]
fn section_6_1_a_message_in_pieces_arrives_with_pings_between_them() {
    let pieces = ["Longwire speaks, ", "", "Longwire listens, ", "Longwire speaks."];
    for context in [Context::Fresh, Context::TakenOver] {
        let mut server = Connection::server(Limits::DEFAULT);
        let mut deflater = Deflater::new(context, 15).unwrap();
        let mut receiver = Receiver::new(context, 64);
        for _ in 0..3 {
            for (at, piece) in pieces.iter().enumerate() {
                let end = at == pieces.len() - 1;
                let mut payload = Vec::new();
                deflater.piece(piece.as_bytes(), end, &mut payload);
                let header =
                    server.piece_header(Message::Text(piece), end, Mask::NONE).unwrap().deflated(payload.len());
                assert_eq!(header.rsv, if at == 0 { Rsv::RSV1 } else { Rsv::NONE });
                receiver.give(&frame(header, &payload));
                receiver.give(&crate::unmasked(0x89, b"between"));
            }
        }
        assert_eq!(receiver.heard, vec![(Opcode::Text, pieces.concat().into_bytes()); 3]);
    }
}

/// One deflater for everybody, and what one connection is sent makes no difference for another.
#[test]
fn section_7_1_1_one_deflater_and_one_inflater_serve_many_connections_without_takeover() {
    let mut deflater = Deflater::new(Context::Fresh, 15).unwrap();
    let mut inflater = Inflater::new(Context::Fresh, Limits::DEFAULT);
    let mut memory = [0; 256];
    let mut first = Vec::new();
    for round in 0..4 {
        for who in ["Ann", "Bob"] {
            let said = format!("{who} says the same as everybody else, as always");
            let mut payload = Vec::new();
            deflater.message(said.as_bytes(), &mut payload);
            let step = inflater.inflate(Opcode::Text, &payload, true, &mut memory).unwrap();
            assert_eq!(step.event, Some(Event::Text { carried: None, rest: &said, end: true }));
            if round == 0 {
                first.push(payload);
            } else {
                assert!(first.contains(&payload), "the same message is the same bytes");
            }
        }
    }
}

/// The hazard that `Deflater` warns of, shown: a broadcast is compressed once, by a deflater for all, and goes between two
/// messages of a connection's own deflater, which keeps its window.
#[test]
fn section_7_1_1_own_broadcast_own_reads_other_text_without_an_error_if_the_broadcast_is_shared() {
    let own = "{\"price\": 1000, \"who\": \"Ann\", \"side\": \"buy\", \"of\": \"apples\"}";
    let broadcast = "{\"price\": 2000, \"who\": \"Bob\", \"side\": \"pay\", \"of\": \"plums!\"}";
    let opcode = |text: &str| (Opcode::Text, text.as_bytes().to_vec());

    let mut of_the_connection = Deflater::new(Context::TakenOver, 15).unwrap();
    let mut for_all = Deflater::new(Context::Fresh, 15).unwrap();
    let mut receiver = Receiver::new(Context::TakenOver, 1 << 10);
    receiver.give(&compressed(&mut of_the_connection, Message::Text(own)));
    receiver.give(&compressed(&mut for_all, Message::Text(broadcast)));
    receiver.give(&compressed(&mut of_the_connection, Message::Text(own)));
    assert_eq!(receiver.heard[..2], [opcode(own), opcode(broadcast)]);
    assert_ne!(receiver.heard[2], opcode(own), "nobody has noticed anything");

    // What to do instead: plain, or through the connection's own.
    for through_its_own in [false, true] {
        let mut of_the_connection = Deflater::new(Context::TakenOver, 15).unwrap();
        let mut receiver = Receiver::new(Context::TakenOver, 1 << 10);
        receiver.give(&compressed(&mut of_the_connection, Message::Text(own)));
        receiver.give(&match through_its_own {
            false => plain(Message::Text(broadcast)),
            true => compressed(&mut of_the_connection, Message::Text(broadcast)),
        });
        receiver.give(&compressed(&mut of_the_connection, Message::Text(own)));
        assert_eq!(receiver.heard, [opcode(own), opcode(broadcast), opcode(own)]);
    }
}
