//! fastwebsockets: frames, not messages, as its own benchmark does; large ones by vectored writes. It writes each frame with a system call of
//! its own. For fan-out its halves are apart, which is a feature that it calls unstable.

use fastwebsockets::{Frame, OpCode, Role, WebSocket, WebSocketError, after_handshake_split};
use longwire_peers::{LONGEST, Room, run_tasks};
use tokio::net::TcpStream;

fn main() {
    run_tasks(echo, fan_out);
}

const fn is_data(opcode: OpCode) -> bool {
    matches!(opcode, OpCode::Text | OpCode::Binary)
}

async fn echo(stream: TcpStream) {
    let mut socket = WebSocket::after_handshake(stream, Role::Server);
    socket.set_writev(true);
    socket.set_auto_close(true);
    socket.set_auto_pong(true);
    socket.set_max_message_size(LONGEST);
    while let Ok(frame) = socket.read_frame().await {
        let opcode = frame.opcode;
        if opcode == OpCode::Close
            || is_data(opcode) && socket.write_frame(Frame::new(true, opcode, None, frame.payload)).await.is_err()
        {
            return;
        }
    }
}

async fn fan_out(stream: TcpStream, room: Room) {
    let (reader, writer) = stream.into_split();
    let (mut reader, mut writer) = after_handshake_split(reader, writer, Role::Server);
    reader.set_max_message_size(LONGEST);
    let (number, mut heard) = room.enter();
    let talking = tokio::spawn(async move {
        while let Some((text, bytes)) = heard.recv().await {
            let opcode = if text { OpCode::Text } else { OpCode::Binary };
            if writer.write_frame(Frame::new(true, opcode, None, bytes[..].into())).await.is_err() {
                return;
            }
        }
    });
    // Nobody here sends a Ping, and whoever closes goes.
    let mut answer = |_: Frame<'_>| std::future::ready(Ok::<(), WebSocketError>(()));
    while let Ok(frame) = reader.read_frame(&mut answer).await {
        if frame.opcode == OpCode::Close {
            break;
        }
        if is_data(frame.opcode) {
            room.say(&(frame.opcode == OpCode::Text, frame.payload.to_vec().into()));
        }
    }
    room.leave(number);
    talking.abort();
}
