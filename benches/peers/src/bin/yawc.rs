//! yawc: without compression, text checked with simdutf8.

use futures_util::StreamExt;
use longwire_peers::{LONGEST, Room, Task, echo, listen, opened, run, talk, task};
use yawc::{Frame, OpCode, Options, Role, WebSocket};

fn main() {
    let (task, room) = (task(), Room::default());
    run(move |stream| {
        let room = room.clone();
        async move {
            let Some(stream) = opened(stream).await else { return };
            let options = Options::default().without_compression().with_max_payload_read(LONGEST).with_utf8();
            let Ok(socket) = WebSocket::from_stream(stream, Role::Server, options) else { return };
            let socket = socket.map(Some);
            let is_data = |frame: &Frame| matches!(frame.opcode(), OpCode::Text | OpCode::Binary);
            if task == Task::Echo {
                return echo(socket, is_data).await;
            }
            let (sink, stream) = socket.split();
            let (number, heard) = room.enter();
            let talking = tokio::spawn(talk(
                sink,
                heard,
                |(text, bytes)| {
                    if text { Frame::text(bytes) } else { Frame::binary(bytes) }
                },
            ));
            listen(stream, &room, |frame| {
                is_data(&frame).then(|| (frame.opcode() == OpCode::Text, frame.into_payload()))
            })
            .await;
            room.leave(number);
            talking.abort();
        }
    });
}
