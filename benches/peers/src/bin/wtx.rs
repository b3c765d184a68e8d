//! wtx: frames are echoed from where they were read. It writes each with a system call of its own, and what it writes it must own.

use longwire_peers::{Room, run_tasks};
use tokio::net::TcpStream;
use wtx::collection::Vector;
use wtx::rng::{Xorshift64, simple_seed};
use wtx::web_socket::{Frame, OpCode, WebSocket, WebSocketBuffer, WebSocketPayloadOrigin};

fn main() {
    run_tasks(echo, fan_out);
}

fn socket(stream: TcpStream) -> WebSocket<(), Xorshift64, TcpStream, WebSocketBuffer, false> {
    WebSocket::new((), false, Xorshift64::from(simple_seed()), stream, WebSocketBuffer::new())
}

async fn echo(stream: TcpStream) {
    let mut socket = socket(stream);
    let mut buffer = Vector::new();
    let (mut common, mut reader, mut writer) = socket.split_mut();
    while let Ok(mut frame) = reader.read_frame(&mut buffer, &mut common, WebSocketPayloadOrigin::Adaptive).await {
        match frame.op_code() {
            OpCode::Text | OpCode::Binary if writer.write_frame(&mut common, &mut frame).await.is_err() => return,
            OpCode::Close => return,
            _ => {}
        }
        buffer.clear();
    }
}

async fn fan_out(stream: TcpStream, room: Room) {
    let Ok(parts) = socket(stream).into_split(TcpStream::into_split) else { return };
    let (mut reader, mut writer) = (parts.reader, parts.writer);
    let (number, mut heard) = room.enter();
    let talking = tokio::spawn(async move {
        while let Some((text, bytes)) = heard.recv().await {
            let opcode = if text { OpCode::Text } else { OpCode::Binary };
            if writer.write_frame(&mut Frame::new_fin(opcode, bytes.to_vec())).await.is_err() {
                return;
            }
        }
    });
    let mut buffer = Vector::new();
    while let Ok(frame) = reader.read_frame(&mut buffer, WebSocketPayloadOrigin::Adaptive).await {
        match frame.op_code() {
            OpCode::Close => break,
            opcode @ (OpCode::Text | OpCode::Binary) => {
                room.say(&(opcode == OpCode::Text, frame.payload().to_vec().into()));
            }
            _ => {}
        }
        buffer.clear();
    }
    room.leave(number);
    talking.abort();
}
