//! soketto: its own buffers over the socket, a flush after each message, as its documentation has it.

use longwire_peers::{LONGEST, Room, Task, opened, run, task};
use soketto::Incoming;
use soketto::connection::{Builder, Mode};
use tokio_util::compat::TokioAsyncReadCompatExt;

fn main() {
    let (task, room) = (task(), Room::default());
    run(move |stream| {
        let room = room.clone();
        async move {
            let Some(stream) = opened(stream).await else { return };
            let mut builder = Builder::new(futures_util::io::BufReader::new(stream.compat()), Mode::Server);
            builder.set_max_message_size(LONGEST);
            builder.set_max_frame_size(LONGEST);
            let (mut sender, mut receiver) = builder.finish();
            let mut message = Vec::new();
            if task == Task::Echo {
                loop {
                    message.clear();
                    let Ok(Incoming::Data(data)) = receiver.receive(&mut message).await else { return };
                    let sent = if data.is_text() {
                        sender.send_text(std::str::from_utf8(&message).expect("text")).await
                    } else {
                        sender.send_binary_mut(&mut message).await
                    };
                    if sent.is_err() || sender.flush().await.is_err() {
                        return;
                    }
                }
            }
            let (number, mut heard) = room.enter();
            let talking = tokio::spawn(async move {
                while let Some(said) = heard.recv().await {
                    let mut next = Some(said);
                    while let Some((text, bytes)) = next.take() {
                        let sent = match std::str::from_utf8(&bytes) {
                            Ok(text_of) if text => sender.send_text(text_of).await,
                            _ => sender.send_binary(&bytes).await,
                        };
                        if sent.is_err() {
                            return;
                        }
                        next = heard.try_recv().ok();
                    }
                    if sender.flush().await.is_err() {
                        return;
                    }
                }
            });
            while let Ok(Incoming::Data(data)) = receiver.receive(&mut message).await {
                room.say(&(data.is_text(), std::mem::take(&mut message).into()));
            }
            room.leave(number);
            talking.abort();
        }
    });
}
