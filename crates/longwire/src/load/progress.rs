//! What is seen while it runs: how many connections are open, then how fast messages come back.

use std::io::IsTerminal;
use std::sync::atomic::Ordering;
use std::thread;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::server::Usage;
use super::{Plan, nanoseconds};

/// How often it is looked.
const LOOK: Duration = Duration::from_millis(100);

/// How long the first connection, or the next one, is waited for.
const PATIENCE: Duration = Duration::from_secs(10);

/// What both sides have taken.
#[derive(Clone, Copy, Debug)]
pub(super) struct Watched {
    /// Seconds of processor of this process, while it counted.
    pub(super) own: f64,
    pub(super) server: Option<Taken>,
}

/// What the server has taken.
#[derive(Clone, Copy, Debug)]
pub(super) struct Taken {
    /// Before the first connection, when all were open, and at both ends of what counts.
    pub(super) before: Usage,
    pub(super) opened: Usage,
    pub(super) begin: Usage,
    pub(super) end: Usage,
}

/// Watches all threads until it is over.
pub(super) fn watch(plan: &Plan, before: Option<Usage>) -> Result<Watched, String> {
    let wanted = plan.options.connections as usize + usize::from(plan.options.fan_out);
    let bar = bar(plan, wanted as u64, "{msg} {wide_bar} {pos}/{len}");
    bar.set_message("connecting");
    wait_for_all(plan, wanted, &bar)?;
    bar.finish_and_clear();
    let usage = || before.and_then(|_| Usage::of(plan.options.server_pid?).ok());
    let opened = usage();

    let clock = plan.clock;
    let begin = clock.now() + nanoseconds(plan.options.warm_up);
    plan.begin.store(begin, Ordering::Release);
    let length = plan.options.duration;
    let bar = self::bar(plan, u64::try_from(length.as_millis()).unwrap_or(u64::MAX), "{msg} {wide_bar} {prefix} s");
    // Not estimated from how far it is: it is known.
    let still = |left: Duration| format!("{:.0}", left.as_secs_f64().ceil());
    bar.set_message("warming up");
    bar.set_prefix(still(length));
    thread::sleep(Duration::from_nanos(begin.saturating_sub(clock.now())));
    let own = || Usage::of(std::process::id().cast_signed()).map_or(0.0, |usage| usage.processor);
    let (at_begin, own_at_begin) = (usage(), own());
    let (mut seen, mut last) = (plan.messages.load(Ordering::Relaxed), clock.now());
    let end = begin + nanoseconds(length);
    loop {
        let left = Duration::from_nanos(end.saturating_sub(clock.now()));
        if left.is_zero() {
            break;
        }
        thread::sleep(left.min(LOOK));
        let (all, now) = (plan.messages.load(Ordering::Relaxed), clock.now());
        let rate = (all - seen) as f64 / (now - last).max(1) as f64 * 1e9;
        (seen, last) = (all, now);
        let lost = plan.lost.load(Ordering::Relaxed);
        let lost = if lost == 0 { String::new() } else { format!(", {lost} lost") };
        bar.set_message(format!("{rate:>9.0} messages/s{lost}"));
        bar.set_prefix(still(Duration::from_nanos(end.saturating_sub(now))));
        bar.set_position((now - begin) / 1_000_000);
        if plan.opened.load(Ordering::Relaxed) <= plan.lost.load(Ordering::Relaxed) {
            // The report says why.
            break;
        }
    }
    let (at_end, own_at_end) = (usage(), own());
    bar.finish_and_clear();
    let server = before.zip(opened).zip(at_begin.zip(at_end));
    let server = server.map(|((before, opened), (begin, end))| Taken { before, opened, begin, end });
    Ok(Watched { own: own_at_end - own_at_begin, server })
}

fn wait_for_all(plan: &Plan, wanted: usize, bar: &ProgressBar) -> Result<(), String> {
    let (mut most, mut since) = (0, plan.clock.now());
    loop {
        let opened = plan.opened.load(Ordering::Relaxed);
        bar.set_position(opened as u64);
        if opened >= wanted {
            return Ok(());
        }
        if opened > most {
            (most, since) = (opened, plan.clock.now());
        }
        let lost = plan.lost.load(Ordering::Relaxed);
        if lost > 0 || plan.clock.now() - since > nanoseconds(PATIENCE) {
            let target = &plan.options.target;
            let why = plan.first_loss.get().map_or_else(String::new, |why| format!("; the first: {why}"));
            return Err(format!(
                "{opened} of {wanted} connections to {target} are open, {lost} were refused or lost{why}"
            ));
        }
        thread::sleep(Duration::from_millis(2));
    }
}

/// A bar on a terminal, nothing elsewhere.
fn bar(plan: &Plan, length: u64, template: &str) -> ProgressBar {
    let seen = !plan.options.json && std::io::stderr().is_terminal();
    let target = if seen { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
    let bar = ProgressBar::with_draw_target(Some(length), target);
    bar.set_style(
        ProgressStyle::with_template(template).expect("the template stands in the source").progress_chars("━━─"),
    );
    bar
}
