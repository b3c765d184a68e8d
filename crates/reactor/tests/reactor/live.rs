//! A real server on loopback, port 0, with a thread of its own; and clients that are nothing but a socket. Nothing here
//! sleeps: read timeouts are bounds, not waits.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::thread::JoinHandle;
use std::time::Duration;

use longwire_reactor::{CloseCode, Handler, Remote, Server};

use crate::stage::{Frame, Reader, Sent, upgrade};

/// Longer than anything here takes on a busy machine.
pub(crate) const BOUND: Duration = Duration::from_secs(20);

/// A server that runs until it is dropped.
pub(crate) struct Live {
    pub(crate) address: SocketAddr,
    pub(crate) remote: Remote,
    thread: Option<JoinHandle<io::Result<()>>>,
}

impl Live {
    pub(crate) fn start<H: Handler>(make: impl Fn(usize) -> H + Send + Sync + 'static) -> Self {
        Self::with(1, |server| server, make)
    }

    pub(crate) fn with<H: Handler>(
        threads: usize,
        set: impl FnOnce(Server) -> Server,
        make: impl Fn(usize) -> H + Send + Sync + 'static,
    ) -> Self {
        let server = set(Server::bind("127.0.0.1:0").expect("loopback has a free port"));
        let (address, remote) = (server.addresses()[0], server.remote());
        // Several loops bind anew; who connects before that is reset. A handler is made when all listen.
        let (tell, told) = std::sync::mpsc::channel();
        let tell = std::sync::Mutex::new(tell);
        let make = move |number| {
            let _ = tell.lock().expect("nobody panics here").send(());
            make(number)
        };
        let thread = Some(std::thread::spawn(move || server.run_threads(threads, make)));
        told.recv_timeout(BOUND).expect("the server starts");
        Self { address, remote, thread }
    }

    pub(crate) fn connect(&self) -> Tcp {
        Tcp::connect(self.address)
    }

    pub(crate) fn web_socket(&self, path: &str) -> Tcp {
        let mut tcp = self.connect();
        tcp.send(upgrade(path).as_bytes());
        let head = tcp.head();
        assert!(head.starts_with("HTTP/1.1 101 "), "{head}");
        tcp
    }

    /// Drains and waits for the end.
    pub(crate) fn stop(mut self) {
        self.remote.drain();
        self.join();
    }

    fn join(&mut self) {
        if let Some(thread) = self.thread.take() {
            let outcome = thread.join();
            if !std::thread::panicking() {
                outcome.expect("the server's thread does not panic").expect("the server ends well");
            }
        }
    }
}

impl Drop for Live {
    fn drop(&mut self) {
        self.remote.drain();
        self.remote.drain();
        self.join();
    }
}

/// A client's socket.
pub(crate) struct Tcp {
    pub(crate) stream: TcpStream,
    unread: Vec<u8>,
    reader: Reader,
}

impl Tcp {
    pub(crate) fn connect(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).expect("the server listens");
        stream.set_nodelay(true).unwrap();
        stream.set_read_timeout(Some(BOUND)).unwrap();
        stream.set_write_timeout(Some(BOUND)).unwrap();
        Self { stream, unread: Vec::new(), reader: Reader::new() }
    }

    pub(crate) fn send(&mut self, bytes: &[u8]) {
        self.stream.write_all(bytes).expect("the server reads");
    }

    pub(crate) fn say(&mut self, text: &str) {
        self.send(&Sent::message(text));
    }

    fn more(&mut self) {
        let mut buffer = [0; 65_536];
        let read = self.stream.read(&mut buffer).expect("the server answers in time");
        assert!(read > 0, "the server closed; so far: {:?}", String::from_utf8_lossy(&self.unread));
        self.unread.extend_from_slice(&buffer[..read]);
    }

    /// All up to and with these bytes.
    pub(crate) fn until(&mut self, end: &[u8]) -> String {
        loop {
            if let Some(at) = self.unread.windows(end.len()).position(|bytes| bytes == end) {
                let front: Vec<u8> = self.unread.drain(..at + end.len()).collect();
                return String::from_utf8(front).expect("UTF-8");
            }
            self.more();
        }
    }

    pub(crate) fn head(&mut self) -> String {
        self.until(b"\r\n\r\n")
    }

    /// The next frames, as many as asked for.
    pub(crate) fn frames(&mut self, count: usize) -> Vec<Frame> {
        let mut frames = self.reader.take(&mut self.unread);
        while frames.len() < count {
            self.more();
            frames.extend(self.reader.take(&mut self.unread));
        }
        assert_eq!(frames.len(), count, "{frames:?}");
        frames
    }

    /// The next frames that are there, one at least.
    pub(crate) fn some_frames(&mut self) -> Vec<Frame> {
        loop {
            let frames = self.reader.take(&mut self.unread);
            if !frames.is_empty() {
                return frames;
            }
            self.more();
        }
    }

    /// Everything up to the server's FIN; a reset is an error.
    pub(crate) fn rest(&mut self) -> Vec<u8> {
        let mut rest = std::mem::take(&mut self.unread);
        self.stream.read_to_end(&mut rest).expect("FIN and no reset");
        rest
    }

    /// The closing handshake, as a client does it.
    pub(crate) fn leave(mut self) {
        self.send(&Sent::close(Some(longwire_reactor::frame::Close::new(CloseCode::NORMAL, ""))));
        let mut rest = self.rest();
        let last = self.reader.take(&mut rest).pop().expect("a Close");
        assert_eq!(crate::stage::code_of(&last), Some(1000));
    }
}
