//! fastwebsockets: frames, not messages, as its own benchmark does; large ones by vectored writes. It writes each frame with a system call of
//! its own. Sending from elsewhere needs a feature that it calls unstable, so it has no fan-out.

use fastwebsockets::{Frame, OpCode, Role, WebSocket};
use longwire_peers::{LONGEST, Task, opened, run, task};

fn main() {
    assert_eq!(task(), Task::Echo, "there is no fan-out");
    run(|stream| async move {
        let Some(stream) = opened(stream).await else { return };
        let mut socket = WebSocket::after_handshake(stream, Role::Server);
        socket.set_writev(true);
        socket.set_auto_close(true);
        socket.set_auto_pong(true);
        socket.set_max_message_size(LONGEST);
        while let Ok(frame) = socket.read_frame().await {
            let opcode = frame.opcode;
            let data = matches!(opcode, OpCode::Text | OpCode::Binary);
            if opcode == OpCode::Close
                || data && socket.write_frame(Frame::new(true, opcode, None, frame.payload)).await.is_err()
            {
                return;
            }
        }
    });
}
