//! SIGTERM with thousands connected: everybody is told, and the program is gone in time.

use std::io;
use std::time::Instant;

use tokio::task::spawn_blocking;

use super::crowd::Crowd;
use super::findings::Findings;
use super::ground::Ground;
use super::wire::Wire;
use crate::Fallible;

pub(super) fn run(ground: &Ground<'_>) -> Fallible<Findings> {
    let half = ground.either(2_500, 5_000);
    let (server, address) = ground.program(&[])?;
    let mut findings = Findings::default();
    ground.drive(async {
        let web_sockets = Crowd::send(half, 100, move |number| Wire::open(address, number, "/echo")).await;
        findings.everybody("WebSockets", &web_sockets);
        let streams = Crowd::send(half, 100, move |number| async move {
            Wire::connect(address, number).await?.listening("/clock").await
        })
        .await;
        findings.everybody("event streams", &streams);

        let stopping = spawn_blocking(move || {
            let told = Instant::now();
            server.stop().map(|()| told.elapsed()).map_err(|error| error.to_string())
        });
        let (closed, ended, stopped) = tokio::join!(
            Crowd::each(web_sockets.told, |mut wire| async move { wire.closed(1_001).await }),
            Crowd::each(streams.told, told_to_retry),
            stopping
        );
        findings.everybody("closed with 1001", &closed);
        findings.everybody("ended with a retry", &ended);
        findings.at_most("exit 0 after", stopped??.as_secs_f64(), 5.0, "s");
        Ok(())
    })?;
    Ok(findings)
}

/// The last thing on a stream is when to come back.
async fn told_to_retry(mut wire: Wire) -> io::Result<()> {
    let rest = wire.rest().await?;
    let text = String::from_utf8_lossy(&rest);
    let last = text.strip_suffix("\n\n").and_then(|text| text.rsplit("\n\n").next());
    if last.is_some_and(|block| block.starts_with("retry: ")) {
        Ok(())
    } else {
        Err(io::Error::other(format!("the last words are {last:?}")))
    }
}
