//! Echo and fan-out over any library that is a `Stream` and a `Sink` of messages. What one read has brought is answered in one flush.

use futures_util::{FutureExt, Sink, SinkExt, Stream, StreamExt};

use crate::{Room, Said};

/// Sends back what comes, for as long as something comes. `data` says whether a message is to be sent back.
pub async fn echo<T>(mut socket: impl Stream<Item = Option<T>> + Sink<T> + Unpin, data: impl Fn(&T) -> bool) {
    while let Some(Some(message)) = socket.next().await {
        let mut next = Some(message);
        while let Some(message) = next.take() {
            if data(&message) && socket.feed(message).await.is_err() {
                return;
            }
            match socket.next().now_or_never() {
                None => {}
                Some(Some(Some(message))) => next = Some(message),
                Some(_) => return,
            }
        }
        if socket.flush().await.is_err() {
            return;
        }
    }
}

/// Sends what is said in the room. All that was said meanwhile is one flush.
pub async fn talk<T>(
    mut sink: impl Sink<T> + Unpin,
    mut heard: tokio::sync::mpsc::UnboundedReceiver<Said>,
    make: impl Fn(Said) -> T,
) {
    while let Some(said) = heard.recv().await {
        let mut next = Some(said);
        while let Some(said) = next.take() {
            if sink.feed(make(said)).await.is_err() {
                return;
            }
            next = heard.try_recv().ok();
        }
        if sink.flush().await.is_err() {
            return;
        }
    }
}

/// Says in the room what comes. `read` makes what is said of a message, if it is data.
pub async fn listen<T>(
    mut stream: impl Stream<Item = Option<T>> + Unpin,
    room: &Room,
    read: impl Fn(T) -> Option<Said>,
) {
    while let Some(Some(message)) = stream.next().await {
        if let Some(said) = read(message) {
            room.say(&said);
        }
    }
}
