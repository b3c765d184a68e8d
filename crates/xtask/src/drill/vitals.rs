//! What drills ask of a server's process while clients of theirs go on; and what the kernel holds for one connection.

use std::net::SocketAddr;
use std::time::Instant;

use tokio::time::sleep;

use super::wire::Wire;
use crate::Fallible;
use crate::vitals::{AGAIN, Vitals};

impl Vitals {
    /// How many descriptors it has at rest: it serves somebody, who goes again, and then nothing changes any more.
    pub(super) async fn descriptors_at_rest(&self, address: SocketAddr) -> Fallible<usize> {
        let mut somebody = Wire::connect(address, 0).await?;
        somebody.write(b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").await?;
        somebody.rest().await?;
        drop(somebody);
        loop {
            let before = self.descriptors()?;
            sleep(AGAIN).await;
            if self.descriptors()? == before {
                return Ok(before);
            }
        }
    }

    /// Watches the process for a while: the share of one core that it took, in per cent.
    pub(super) async fn load(&self, during: impl Future<Output = Fallible<()>>) -> Fallible<f64> {
        let (began, before) = (Instant::now(), self.processor()?);
        during.await?;
        Ok((self.processor()? - before).as_secs_f64() / began.elapsed().as_secs_f64() * 100.0)
    }
}

/// What the kernel holds on the server's side of a connection, in bytes: both queues and what is set aside for them.
pub(super) fn held_by_the_kernel(server: SocketAddr, client: SocketAddr) -> Fallible<u64> {
    let filter = format!("src {server} and dst {client}");
    let output =
        std::process::Command::new("ss").args(["--tcp", "--memory", "--numeric", "--no-header", &filter]).output()?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    held(&text).ok_or_else(|| format!("ss says nothing of the connection: {text:?}").into())
}

/// Of `skmem:(r0,rb131072,t0,tb87040,f4096,w61440,o0,bl0,d0)`: received, sent, set aside, and waiting for a lock.
fn held(said: &str) -> Option<u64> {
    let (_, memory) = said.split_once("skmem:(")?;
    let (memory, _) = memory.split_once(')')?;
    let number = |name: &str| memory.split(',').find_map(|field| field.strip_prefix(name)?.parse::<u64>().ok());
    Some(number("r")? + number("w")? + number("f")? + number("bl")?)
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_kernels_share_is_the_sum_of_what_it_holds() {
        let said = "ESTAB 0 0 127.0.0.1:1 127.0.0.1:2\n\t skmem:(r10,rb131072,t7,tb87040,f4096,w600,o0,bl3,d0)\n";
        assert_eq!(super::held(said), Some(10 + 4_096 + 600 + 3));
        assert_eq!(super::held(""), None);
    }
}
