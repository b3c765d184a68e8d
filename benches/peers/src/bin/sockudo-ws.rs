//! sockudo-ws: its defaults after those of uWebSockets, writes coalesced.

use futures_util::StreamExt;
use longwire_peers::{LONGEST, Room, Task, echo, listen, opened, run, talk, task};
use sockudo_ws::{Config, Message, WebSocketStream};

fn main() {
    let (task, room) = (task(), Room::default());
    run(move |stream| {
        let room = room.clone();
        async move {
            let Some(stream) = opened(stream).await else { return };
            let config = Config::builder()
                .max_payload_length(LONGEST)
                .max_message_size(LONGEST)
                .max_frame_size(LONGEST)
                .max_backpressure(64 << 20)
                .idle_timeout(0)
                .auto_ping(false)
                .write_coalescing(true)
                .build();
            let socket = WebSocketStream::server(stream, config);
            let socket = socket.map(Result::ok);
            if task == Task::Echo {
                return echo(socket, |message| matches!(message, Message::Text(_) | Message::Binary(_))).await;
            }
            let (sink, stream) = socket.split();
            let (number, heard) = room.enter();
            let talking =
                tokio::spawn(talk(
                    sink,
                    heard,
                    |(text, bytes)| {
                        if text { Message::Text(bytes) } else { Message::Binary(bytes) }
                    },
                ));
            listen(stream, &room, |message| match message {
                Message::Text(bytes) => Some((true, bytes)),
                Message::Binary(bytes) => Some((false, bytes)),
                _ => None,
            })
            .await;
            room.leave(number);
            talking.abort();
        }
    });
}
