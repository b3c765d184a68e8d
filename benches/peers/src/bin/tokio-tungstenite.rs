//! tokio-tungstenite: a `Stream` and a `Sink` over tungstenite, whose buffers are set as in `tungstenite-mio`.

use futures_util::StreamExt;
use longwire_peers::{LONGEST, Room, Task, echo, listen, opened, run, talk, task};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::protocol::{Role, WebSocketConfig};
use tokio_tungstenite::tungstenite::{Message, Utf8Bytes};

fn main() {
    let (task, room) = (task(), Room::default());
    run(move |stream| {
        let room = room.clone();
        async move {
            let Some(stream) = opened(stream).await else { return };
            let config = WebSocketConfig::default()
                .read_buffer_size(16 << 10)
                .max_message_size(Some(LONGEST))
                .max_frame_size(Some(LONGEST));
            let socket = WebSocketStream::from_raw_socket(stream, Role::Server, Some(config)).await;
            let socket = socket.map(Result::ok);
            if task == Task::Echo {
                return echo(socket, |message| message.is_text() || message.is_binary()).await;
            }
            let (sink, stream) = socket.split();
            let (number, heard) = room.enter();
            let talking = tokio::spawn(talk(sink, heard, |(text, bytes)| {
                if text { Message::Text(Utf8Bytes::try_from(bytes).expect("text")) } else { Message::Binary(bytes) }
            }));
            listen(stream, &room, |message| match message {
                Message::Text(text) => Some((true, text.into())),
                Message::Binary(bytes) => Some((false, bytes)),
                _ => None,
            })
            .await;
            room.leave(number);
            talking.abort();
        }
    });
}
