//! docs/benchmarks.md. All in its tables was measured for it; what the words in front say was measured elsewhere is in docs/decisions.md.

use std::fmt::Write as _;

use super::alone::{ACTIVE, Alone, IDLE, MOVED};
use super::measure::{self, LONG, WINDOW};
use super::peers::{FLOORS, OURS};
use super::results::{Cost, Results, Row, Spread, Verdict};
use super::rounds::{COSTS, QUIET};

/// What stands in front of the figures.
fn head() -> String {
    let (usual, long) = (WINDOW as f64 / 1e3, LONG as f64 / 1e3);
    let quiet = QUIET * 100.0;
    format!(
        "\
# Benchmarks

Longwire beside other servers, in turns on one machine. `cargo xtask compare` builds everybody, measures, and writes this page; the figures
are kept in [benches/comparison.json](../benches/comparison.json), the servers are in [benches/peers](../benches/peers/README.md).

## How it is measured

* Every server has one thread and the first core to itself, the load the second; they speak over loopback. Each server is the least code that its library
  needs for an echo, with the fastest options that its documentation names or that we found. All in Rust are built alike; uWebSockets as its makefile does, for this very processor; Node as installed. We wrote
  them, and their authors have not looked at them.
* The figure is **messages per second of the server's processor**, as the scheduler counts its time, user and kernel together. Every echo is compared
  with what was sent. Messages are binary, whole and not compressed.
* It is given as a **share of the floor's**: a server on mio that sends bytes back as they came, knows no protocol, and pays what the kernel takes
  from everybody. For fan-out the base makes one `send` call for each message and listener; servers that join messages make fewer, hence figures far above 1. Its sixteen are said at once,
  and stay together where a server joins them: sixteen is the most that joining can make of it. Said one by one they stay apart for as long as it lasts, and everybody has less, by chance.
* In turns: in each round everybody is measured once, {usual} seconds each ({long} for messages of 1 MiB), each time beginning with another one, the floor at the beginning and at the
  end. If the floor's two figures differ by more than {quiet}%, the round was disturbed and does not count. What is compared is the share within a round.
* Given are the median of the rounds, and in brackets where the middle half of them lies. A is *ahead* of B if it has more than B in
  all rounds, or in all but one: of two equal ones that happens to one or the other, with seven rounds, in one comparison in eight. All else is undecided, which does not mean equal. Factors are medians of the ratios within
  a round, not quotients of two columns. Every round is in comparison.json.
* With one message in flight the server sleeps between messages if there are few connections, and falling asleep and waking is most of what is measured:
  with short messages most are near 1 there, and a share above it is a server that slept less. What the protocol costs is seen with many connections.
* With sixteen in flight most is decided by whether a server joins its answers to what one read has brought: fastwebsockets, wtx, soketto and Node's ws write each by
  itself here. With 20 B the load is then busier than the fastest servers, which hides differences between them.

Bias: the load is our own (`longwire load`; for the floor, which speaks no WebSocket, a twin of it over plain TCP), and so is the choice of rows.
What is measured as `longwire` is the library in a server like the others', built as they are (one codegen unit, \"fat\" link-time optimization, arithmetic unchecked).
The program checks its arithmetic, and has threads for signals and log lines, for whose sake the C library prepares every blocking call to be cancelled: together some 180
instructions more for a message with one in flight, 35 with sixteen ([decisions](decisions.md#what-a-message-costs)).
By default the library lets the kernel hold no more than 64 KiB unsent and 256 KiB unread for a peer; here that is 4 MiB each, which `net.core.rmem_max` must allow. The others leave both to the kernel, whose bounds grow as they are used. Its `budget` is 4 GiB, which also decides how much used
memory it keeps for the next long messages: that of 64 here. All three matter at 1 MiB alone, where the defaults have some 0.9 of what is here over one connection and half of it over 64, and would be there
behind most who collect what they read ([decisions](decisions.md#what-a-message-costs); [what the defaults buy](limits.md)). Everybody has the C library's allocator as it is.
Loopback has no network card, so the kernel's share is smaller than elsewhere, and real networks show smaller differences.

Not measured here: text, compression, latency (`longwire load` has an open loop for that), TLS, event streams beside others', the others with several threads, and
servers in other languages, except uWebSockets (C++, without zlib) and Node's ws.

To run it yourself: Linux with two cores and nothing else to do, Rust, a C++ compiler and Node with npm (for one of the servers each), `ulimit -n 20000`, and

```console
$ cargo xtask compare 7
```

which takes some 35 minutes, and writes README.md, this page, its plots and comparison.json anew: `git restore README.md docs benches` brings ours back. For a server of your own, add it to
[benches/peers](../benches/peers/README.md), or load it and ours in turns with [`longwire load`](measuring.md).
"
    )
}

/// The page.
pub(super) fn render(results: &Results) -> String {
    let mut page = head();
    let later = results.rows.iter().filter_map(|row| Some(format!("; {} at {}", row.cell, row.commit.as_ref()?)));
    let commit = later.fold(results.commit.clone(), |commits, later| commits + &later);
    let _ = writeln!(page, "\nMeasured at commit {commit}. On {}.", results.machine.join("; "));
    let named: Vec<String> = results
        .versions
        .iter()
        .filter(|(_, version)| !version.is_empty())
        .map(|(name, version)| format!("{name} {version}"))
        .collect();
    let _ = writeln!(page, "The others are {}.", named.join(", "));
    for (fan_out, title, words) in [
        (false, "Echo", "The rows are: bytes of a message, connections, messages that each of them has in flight."),
        (true, "Fan-out", "One speaks, all listen, the speaker too: deliveries per second of the server's processor."),
    ] {
        let rows: Vec<&Row> = results.rows.iter().filter(|row| row.cell.fan_out == fan_out).collect();
        let _ = writeln!(page, "\n## {title}\n\n{words}\n");
        table(&mut page, &rows, FLOORS[usize::from(fan_out)]);
        let picture = if fan_out { "fan-out" } else { "echo" };
        let _ = writeln!(page, "\n![{title}](benchmarks/{picture}.svg)");
    }
    page.push_str("\n## Where we lose, and where not\n\n");
    page.push_str(&losses(results));
    page.push_str("\n## What a connection costs\n\n");
    costs(&mut page, &results.costs);
    if let Some(ours) = &results.alone {
        alone(&mut page, ours);
    }
    page
}

fn table(page: &mut String, rows: &[&Row], floor: &str) {
    let Some(first) = rows.first() else { return };
    let names: Vec<&str> = first.shares.iter().map(|(name, _)| name.as_str()).collect();
    let _ = writeln!(page, "| | {floor}, a second | {} |", names.join(" | "));
    let _ = writeln!(page, "|---|---|{}", "---|".repeat(names.len()));
    for row in rows {
        let _ = write!(page, "| {} | {:.0} |", row.cell, row.floor.median);
        for (name, spread) in &row.shares {
            let [low, high] = spread.quartiles;
            let bold = if name == OURS { "**" } else { "" };
            let _ = write!(page, " {bold}{:.2}{bold} ({low:.2} to {high:.2}) |", spread.median);
        }
        page.push('\n');
    }
    let rounds = rows.iter().map(|row| row.rounds).min().unwrap_or_default();
    let disturbed: usize = rows.iter().map(|row| row.disturbed).sum();
    let all = disturbed + rows.iter().map(|row| row.rounds).sum::<usize>();
    let _ = writeln!(page, "\nAt least {rounds} rounds each; {disturbed} of {all} were disturbed and left out.");
}

/// How much more.
fn by(ratio: f64) -> String {
    if ratio < 1.01 { "by less than 1%".into() } else { format!("{ratio:.2} times as much") }
}

/// Cell by cell, who is ahead of us, and where nobody is.
fn losses(results: &Results) -> String {
    let mut lines = String::new();
    let (mut ahead, mut equal) = (Vec::new(), Vec::new());
    for row in &results.rows {
        let Some(ours) = row.ours() else { continue };
        let others = row.against_us();
        let above: Vec<String> = others
            .iter()
            .filter(|(_, _, verdict)| *verdict == Verdict::Ahead)
            .map(|(name, ratio, _)| format!("{name} ({})", by(ratio.median)))
            .collect();
        let undecided = others.iter().filter(|(_, _, verdict)| *verdict == Verdict::Undecided);
        let undecided = undecided.map(|(name, ..)| *name).collect::<Vec<_>>().join(", ");
        let kind = if row.cell.fan_out { "fan-out " } else { "" };
        let cell = format!("{kind}{}", row.cell);
        if !above.is_empty() {
            let rest = if undecided.is_empty() { String::new() } else { format!("; undecided: {undecided}") };
            let _ = writeln!(lines, "* {cell}: we have {:.2}; ahead of us: {}{rest}.", ours.median, above.join(", "));
        } else if undecided.is_empty() {
            ahead.push(cell);
        } else {
            equal.push(format!("{cell} ({undecided})"));
        }
    }
    if lines.is_empty() {
        lines.push_str("* Nowhere is anybody ahead of us.\n");
    }
    let list = |cells: &[String]| if cells.is_empty() { "none".into() } else { cells.join("; ") };
    lines.push_str(&dearer(results));
    let _ = writeln!(lines, "* Ahead of everybody: {}.", list(&ahead));
    let _ = writeln!(lines, "* Nobody ahead of us, and undecided against those in brackets: {}.", list(&equal));
    lines
}

/// What costs us more than others, or than it should, beside the messages.
fn dearer(results: &Results) -> String {
    let mut lines = String::new();
    let of = |name: &str| results.costs.iter().find(|cost| cost.peer == name).map(|cost| cost.handshake);
    if let Some((floor, ours)) = of(FLOORS[0]).zip(of(OURS)) {
        let mut cheaper: Vec<&Cost> =
            results.costs.iter().filter(|cost| cost.handshake < ours && cost.peer != FLOORS[0]).collect();
        cheaper.sort_by(|a, b| a.handshake.total_cmp(&b.handshake));
        let cheaper: Vec<String> =
            cheaper.iter().map(|cost| format!("{} ({:.1})", cost.peer, cost.handshake)).collect();
        let who = if cheaper.is_empty() { "nobody takes".into() } else { cheaper.join(", ") + " take" };
        let times = ours / floor;
        let _ = writeln!(
            lines,
            "* An opening takes us {ours:.1} µs, {times:.1} times what the floor takes to accept; {who} less. (One measurement differs from the next by up to a quarter.)"
        );
    }
    for (in_flight, _, two) in results.alone.iter().flat_map(|ours| &ours.threads).filter(|row| row.2.median >= 1.005) {
        let _ = writeln!(
            lines,
            "* One server with two threads takes {:.2} times the processor for an echo of 20 B with {in_flight} in flight that two servers with a thread each take.",
            two.median
        );
    }
    lines
}

fn costs(page: &mut String, costs: &[Cost]) {
    let _ = writeln!(
        page,
        "Resident memory of the server's own (anonymous pages, neither its text nor the kernel's buffers) for each connection, as the slope between {} and {} of them: idle, and after two seconds of\n\
         echoes of 16 KiB on all of them; what is resident in all, half a second after the last of {} has gone; and the time of its processor that each opening takes, accept included. The middle of {}\n\
         measurements, in turns: from run to run memory differs by a few bytes, times by up to a quarter. (A collector's memory is less when it has just collected.)\n\
         The kernel adds 8 to 10 KiB for an idle connection on loopback, both ends together, to everybody.\n",
        measure::FEW,
        measure::MANY,
        measure::MANY,
        COSTS
    );
    page.push_str("| | bytes, idle | bytes, after 16 KiB | KiB left | µs an opening |\n|---|---|---|---|---|\n");
    for Cost { peer, idle, moved, left, handshake } in costs {
        let of = |value: Option<f64>| value.map_or_else(|| "–".into(), |value| format!("{value:.0}"));
        let (idle, moved, left) = (of(*idle), of(*moved), left / 1_024.0);
        let _ = writeln!(page, "| {peer} | {idle} | {moved} | {left:.0} | {handshake:.1} |");
    }
}

fn alone(page: &mut String, ours: &Alone) {
    let told = |Spread { median, quartiles: [low, high], .. }: Spread| format!("{median:.2} ({low:.2} to {high:.2})");
    let Alone { stream, active, among_idle, threads, fresh, left } = ours;
    let [(many, little), (few, much)] = MOVED;
    page.push_str("\n## Ours alone\n\nThe program instead of the library, with its loads on the same cores or wherever the scheduler put them: to be compared with each other, not with what stands above.\nIts event streams carry the clock's seconds. Ratios are of two figures in turns.\n\n");
    page.push_str("| What | Is |\n|---|---|\n");
    let mut row = |what: String, is: String| {
        let _ = writeln!(page, "| {what} | {is} |");
    };
    row("resident bytes of an idle event stream, as the slope above".into(), format!("{stream:.0}"));
    row(format!("µs of processor for an echo of 20 B on {ACTIVE} connections"), told(*active));
    row(format!("the same with {IDLE} idle ones beside them, as a ratio"), told(*among_idle));
    for (in_flight, one, two) in threads {
        row(
            format!(
                "µs for an echo of 20 B, {in_flight} in flight on 64 connections, over two servers with a thread each"
            ),
            told(*one),
        );
        row("the same with two threads of one server, as a ratio".into(), told(*two));
    }
    row("KiB resident of its own before anybody came".into(), format!("{fresh:.0}"));
    row(
        format!("and when {many} connections with {little} each, then {few} with {much}, have gone"),
        format!("{left:.0}"),
    );
}
