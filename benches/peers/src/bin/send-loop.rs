//! The floor of fan-out: each message becomes one frame, and one `send` for everybody. It understands just what the load generator says:
//! an opening handshake in one piece, and masked frames of fewer than 64 KiB.

use longwire_peers::{Task, accept_key, serve, task};

/// What is there of a frame, or of the handshake.
#[derive(Default)]
struct Guest {
    open: bool,
    carry: Vec<u8>,
}

fn main() {
    assert_eq!(task(), Task::FanOut, "for echo the floor is `floor`");
    serve::<Guest>(|lines, key, bytes| {
        let Some(line) = lines.get_mut(key) else { return false };
        if !line.user.open {
            let Some(accept) = std::str::from_utf8(bytes).ok().and_then(accept_key) else { return false };
            line.user.open = true;
            return line.send(
                format!(
                    "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: {accept}\r\n\r\n"
                )
                .as_bytes(),
            );
        }
        let mut input = std::mem::take(&mut line.user.carry);
        input.extend_from_slice(bytes);
        let mut at = 0;
        while let Some((frame, length)) = frame(&input[at..]) {
            if frame.is_empty() {
                return false;
            }
            for (_, line) in lines.iter_mut() {
                line.send(&frame);
            }
            at += length;
        }
        input.drain(..at);
        lines[key].user.carry = input;
        true
    })
}

/// The frame that a masked one becomes, and how long that was; empty for a Close.
fn frame(input: &[u8]) -> Option<(Vec<u8>, usize)> {
    let (length, at) = match input.get(1)? & 0x7F {
        126 => (usize::from(u16::from_be_bytes([*input.get(2)?, *input.get(3)?])), 4),
        short => (usize::from(short), 2),
    };
    let key = input.get(at..at + 4)?;
    let payload = input.get(at + 4..at + 4 + length)?;
    let whole = at + 4 + length;
    if input[0] & 0x0F == 8 {
        return Some((Vec::new(), whole));
    }
    let mut frame = vec![input[0], input[1] & 0x7F];
    frame.extend_from_slice(&input[2..at]);
    frame.extend(payload.iter().zip(key.iter().cycle()).map(|(byte, key)| byte ^ key));
    Some((frame, whole))
}
