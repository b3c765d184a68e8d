//! wtx: frames are echoed from where they were read. It writes each with a system call of its own.

use longwire_peers::{Task, opened, run, task};
use wtx::collection::Vector;
use wtx::rng::{Xorshift64, simple_seed};
use wtx::web_socket::{OpCode, WebSocket, WebSocketBuffer, WebSocketPayloadOrigin};

fn main() {
    assert_eq!(task(), Task::Echo, "there is no fan-out");
    run(|stream| async move {
        let Some(stream) = opened(stream).await else { return };
        let random = Xorshift64::from(simple_seed());
        let mut socket = WebSocket::<_, _, _, _, false>::new((), false, random, stream, WebSocketBuffer::new());
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
    });
}
