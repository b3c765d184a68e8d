//! Closing with unread input on one side and 200 KB still to be sent on the other, while more input keeps coming: every byte
//! arrives, then the FIN, and no reset.

use std::io;
use std::time::Instant;

use super::crowd::Crowd;
use super::findings::Findings;
use super::ground::Ground;
use super::wire::{BINARY, CLOSE, TEXT, Wire, frame, upgrade};
use crate::Fallible;
use crate::vitals::Vitals;

const BIG: usize = 200_000;
/// What the server is sent behind the last thing that it will look at.
static UNREAD: [u8; 20_000] = [b'u'; 20_000];

pub(super) fn run(ground: &Ground<'_>) -> Fallible<Findings> {
    let closes = ground.either(2_000, 10_000);
    let (server, address) = ground.drillground()?;
    let vitals = Vitals::of(server.process())?;
    let mut findings = Findings::default();
    let began = Instant::now();
    ground.drive(async {
        let before = vitals.descriptors_at_rest(address).await?;
        let crowd = Crowd::send(closes, 100, move |number| async move {
            let wire = Wire::connect_narrow(address, number).await?;
            if number % 2 == 0 { page(wire).await } else { web_socket(wire).await }
        })
        .await;
        findings.everybody("closes with every byte and the FIN", &crowd);
        let after = vitals.wait_for_descriptors(super::LINGER, |open| open <= before)?;
        findings.at_most("descriptors afterwards", after, before, "");
        Ok(())
    })?;
    findings.note(format!("{:.0} closes a second", closes as f64 / began.elapsed().as_secs_f64()));
    server.stop()?;
    Ok(findings)
}

/// The last request of a connection, and more behind it.
async fn page(mut wire: Wire) -> io::Result<()> {
    wire.write(b"GET /big HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").await?;
    wire.write(&UNREAD).await?;
    wire.talk_to_the_end(b"and more").await?;
    let head = wire.head().await?;
    let body = wire.rest().await?;
    complete(head.starts_with("HTTP/1.1 200 "), body.len())
}

/// A message that is answered with much and a Close, our own Close, and more behind it.
async fn web_socket(mut wire: Wire) -> io::Result<()> {
    let opening = upgrade("/big");
    let closing = frame(CLOSE, &1_000_u16.to_be_bytes());
    wire.write(&[opening.as_bytes(), &frame(TEXT, b"go"), &closing, &UNREAD].concat()).await?;
    wire.talk_to_the_end(b"and more").await?;
    let head = wire.head().await?;
    let answer = wire.frame().await?;
    let close = wire.frame().await?;
    wire.ended().await?;
    let is_good = head.starts_with("HTTP/1.1 101 ") && answer.opcode == BINARY && close.opcode == CLOSE;
    complete(is_good, answer.payload.len())
}

fn complete(is_good: bool, length: usize) -> io::Result<()> {
    if is_good && length == BIG {
        Ok(())
    } else {
        Err(io::Error::other(format!("not the answer, or only {length} bytes of it")))
    }
}
