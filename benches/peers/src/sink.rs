//! Echo and fan-out over any library that is a `Stream` and a `Sink` of messages. What one read has brought is answered in one flush.

use futures_util::{FutureExt, Sink, SinkExt, Stream, StreamExt};

use crate::{Room, Said};

/// So many messages are read before they are answered.
const MOST: usize = 64;

/// Sends back what comes, for as long as something comes. `data` says whether a message is to be sent back. All that is there is read
/// first: some libraries write what was fed when they are asked for the next message.
pub async fn echo<T>(mut socket: impl Stream<Item = Option<T>> + Sink<T> + Unpin, data: impl Fn(&T) -> bool) {
    let mut heard = Vec::with_capacity(MOST);
    let mut goes_on = true;
    while goes_on {
        let Some(Some(first)) = socket.next().await else { return };
        heard.push(first);
        while heard.len() < MOST && goes_on {
            match socket.next().now_or_never() {
                Some(Some(Some(message))) => heard.push(message),
                None => break,
                Some(_) => goes_on = false,
            }
        }
        for message in heard.drain(..) {
            if data(&message) && socket.feed(message).await.is_err() {
                return;
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
