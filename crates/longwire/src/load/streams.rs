//! Event streams: every connection listens. What our speaker says is timed from when it was due; of what others say, events that have an id are
//! timed from when the first of all listeners had them.

use std::cell::RefCell;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::rc::Rc;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use longwire_reactor::handshake::{Chunks, Part};
use longwire_reactor::sse::{Dispatched, Parser};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::task::{LocalSet, spawn_local};
use tokio::time::sleep;

use super::crew::{LAST, TURN};
use super::message::Shape;
use super::speech::Ear;
use super::tally::Tally;
use super::{Plan, nanoseconds};

const READ: usize = 16 << 10;

/// The longest head of an answer.
const HEAD: usize = 16 << 10;

/// Events of which it is remembered who was first.
const REMEMBERED: usize = 1 << 12;

/// When the first of all listeners had each of the last events, by a hash of the event.
pub(super) struct Firsts(Mutex<Box<[(u64, u64)]>>);

impl Firsts {
    pub(super) fn new() -> Self {
        Self(Mutex::new(vec![(0, 0); REMEMBERED].into()))
    }

    /// When the first had this event; now, if this is the first.
    fn of(&self, event: &Dispatched<'_>, now: u64) -> u64 {
        let mut hasher = DefaultHasher::new();
        (event.id, event.name, event.data).hash(&mut hasher);
        let key = hasher.finish();
        let mut firsts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let first = &mut firsts[key as usize % REMEMBERED];
        if first.0 != key {
            *first = (key, now);
        }
        first.1
    }
}

/// Opens the streams of a thread, and listens until it is over.
pub(super) fn run(plan: &Arc<Plan>, thread: usize) -> Result<Tally, String> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| error.to_string())?;
    let tally = Rc::new(RefCell::new(Tally::new(plan.options.duration)));
    LocalSet::new().block_on(&runtime, async {
        let first: usize = (0..thread).map(|before| plan.share(before)).sum();
        let pause = Duration::from_secs(1) * u32::from(plan.options.threads) / plan.options.connect_rate;
        let begun = tokio::time::Instant::now();
        let mut listening = Vec::new();
        for number in first..first + plan.share(thread) {
            tokio::time::sleep_until(begun + pause * (number - first) as u32).await;
            listening.push(spawn_local(listen(plan.clone(), number, tally.clone())));
            if plan.over.load(Ordering::Acquire) {
                break;
            }
        }
        while !plan.over.load(Ordering::Acquire) {
            sleep(TURN).await;
        }
        // What counts and is on its way is still heard.
        let open = listening.iter().filter(|listening| !listening.is_finished()).count() as u64;
        let counted = plan.speech.counted();
        let expected = (counted.end - counted.start) * open;
        let last = plan.clock.now() + nanoseconds(LAST);
        while tally.borrow().delivered < expected && plan.clock.now() < last {
            sleep(TURN).await;
        }
        tally.borrow_mut().expect(expected);
        listening.iter().for_each(|listening| listening.abort());
    });
    let tally = std::mem::replace(&mut *tally.borrow_mut(), Tally::new(Duration::ZERO));
    Ok(tally)
}

/// One stream, until it ends. None should.
async fn listen(plan: Arc<Plan>, number: usize, tally: Rc<RefCell<Tally>>) {
    let Err(why) = hear(&plan, number, &tally).await;
    if !plan.over.load(Ordering::Acquire) {
        plan.lose(&mut tally.borrow_mut(), why);
    }
}

async fn hear(plan: &Plan, number: usize, tally: &RefCell<Tally>) -> Result<std::convert::Infallible, String> {
    let words = |error: std::io::Error| error.to_string();
    let target = plan.options.streams.as_ref().unwrap_or(&plan.options.target);
    let mut stream = target.connect(plan.options.source(number)).await.map_err(words)?;
    stream.write_all(&target.get()).await.map_err(words)?;
    let mut bytes = Vec::with_capacity(READ);
    let (length, chunked) = loop {
        if stream.read_buf(&mut bytes).await.map_err(words)? == 0 {
            return Err("it ended before an answer".into());
        }
        match head(&bytes)? {
            Some(head) => break head,
            None if bytes.len() > HEAD => return Err(format!("a head of more than {HEAD} bytes")),
            None => {}
        }
    };
    bytes.drain(..length);
    plan.opened.fetch_add(1, Ordering::Relaxed);

    let mut chunks = chunked.then(|| Chunks::new(u32::MAX));
    let mut listener = Listener::new(plan);
    loop {
        match &mut chunks {
            None => listener.reads(plan, &bytes, tally)?,
            Some(chunks) => {
                let mut at = 0;
                loop {
                    let (part, taken) = chunks.decode(&bytes[at..]).map_err(|refusal| format!("{refusal:?}"))?;
                    at += taken;
                    match part {
                        Part::Data(data) => listener.reads(plan, data, tally)?,
                        Part::More => break,
                        Part::End => return Err("the stream ended".into()),
                    }
                }
            }
        }
        bytes.clear();
        if stream.read_buf(&mut bytes).await.map_err(words)? == 0 {
            return Err("the stream ended".into());
        }
    }
}

/// The length of a head, once it is there, and whether its body comes in chunks.
fn head(bytes: &[u8]) -> Result<Option<(usize, bool)>, String> {
    let mut fields = [httparse::EMPTY_HEADER; 64];
    let mut response = httparse::Response::new(&mut fields);
    let httparse::Status::Complete(length) = response.parse(bytes).map_err(|error| error.to_string())? else {
        return Ok(None);
    };
    let status = response.code.unwrap_or_default();
    let field = |name: &str| {
        let field = response.headers.iter().find(|field| field.name.eq_ignore_ascii_case(name));
        field.map_or_else(String::new, |field| String::from_utf8_lossy(field.value).to_ascii_lowercase())
    };
    if status != 200 {
        return Err(format!("it was answered with {status}"));
    }
    if !field("Content-Type").starts_with("text/event-stream") {
        return Err(format!("this is no event stream but {:?}", field("Content-Type")));
    }
    Ok(Some((length, field("Transfer-Encoding").ends_with("chunked"))))
}

struct Listener {
    parser: Parser<Vec<u8>>,
    ear: Ear,
    shape: Shape,
    /// What messages of ours are like.
    memory: Vec<u8>,
}

impl Listener {
    fn new(plan: &Plan) -> Self {
        let memory = if plan.options.fan_out { plan.shape.memory() } else { Vec::new() };
        // Half of it is an event's data.
        let parser = Parser::new(vec![0; (4 * memory.len()).max(64 << 10)]);
        Self { parser, ear: Ear::default(), shape: plan.shape, memory }
    }

    fn reads(&mut self, plan: &Plan, mut bytes: &[u8], tally: &RefCell<Tally>) -> Result<(), String> {
        while !bytes.is_empty() {
            let step = self.parser.parse(bytes).map_err(|error| error.to_string())?;
            bytes = &bytes[step.consumed..];
            let Some(event) = step.event else { continue };
            let mut tally = tally.borrow_mut();
            if !plan.options.fan_out {
                let now = plan.clock.now();
                let first = if event.id.is_empty() { now } else { plan.firsts.of(&event, now) };
                tally.count(plan.window(), first, now, event.data.len());
            } else if let Some(number) = self.shape.number(event.data.as_bytes(), &self.memory) {
                if !self.ear.hears(number) {
                    tally.wrong += 1;
                    continue;
                }
                plan.speech.arrived(plan, number, event.data.len(), &mut tally);
            } else {
                // What others say is not ours.
                continue;
            }
            plan.messages.fetch_add(1, Ordering::Relaxed);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_head_says_that_a_stream_follows() {
        let stream = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream; charset=utf-8\r\n";
        let (plain, chunked) =
            ([&stream[..], b"\r\n"].concat(), [&stream[..], b"Transfer-Encoding: chunked\r\n\r\nx"].concat());
        assert_eq!(head(&plain), Ok(Some((plain.len(), false))));
        assert_eq!(head(&chunked), Ok(Some((chunked.len() - 1, true))));
        assert_eq!(head(stream), Ok(None));
        for wrong in [
            &b"HTTP/1.1 404 Not Found\r\n\r\n"[..],
            b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n",
            b"SSH-2.0\r\n\r\n",
        ] {
            assert!(head(wrong).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn who_is_first_is_remembered_by_the_event() {
        let firsts = Firsts::new();
        let event = |id, data| Dispatched { id, name: "message", data };
        assert_eq!(firsts.of(&event("1", "a"), 10), 10);
        assert_eq!(firsts.of(&event("1", "a"), 17), 10);
        assert_eq!(firsts.of(&event("2", "a"), 18), 18);
    }
}
