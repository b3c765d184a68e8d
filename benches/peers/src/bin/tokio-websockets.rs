//! tokio-websockets: whole messages are not cut into frames, and what one read has brought is flushed once.

use futures_util::StreamExt;
use longwire_peers::{LONGEST, Room, Task, echo, listen, opened, run, talk, task};
use tokio_websockets::{Config, Limits, Message, ServerBuilder};

fn main() {
    let (task, room) = (task(), Room::default());
    run(move |stream| {
        let room = room.clone();
        async move {
            let Some(stream) = opened(stream).await else { return };
            let socket = ServerBuilder::new()
                .config(Config::default().frame_size(usize::MAX))
                .limits(Limits::default().max_payload_len(Some(LONGEST)))
                .serve(stream);
            let socket = socket.map(Result::ok);
            if task == Task::Echo {
                return echo(socket, |message| message.is_text() || message.is_binary()).await;
            }
            let (sink, stream) = socket.split();
            let (number, heard) = room.enter();
            let talking = tokio::spawn(talk(sink, heard, |(text, bytes)| {
                if text { Message::text(bytes_to_text(bytes)) } else { Message::binary(bytes) }
            }));
            listen(stream, &room, |message| {
                let text = message.is_text();
                (text || message.is_binary()).then(|| (text, message.into_payload().into()))
            })
            .await;
            room.leave(number);
            talking.abort();
        }
    });
}

fn bytes_to_text(bytes: bytes::Bytes) -> String {
    String::from_utf8(bytes.into()).expect("text")
}
