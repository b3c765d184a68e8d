//! The simulator is worth what its histories are: they repeat themselves, they hold, and what they have found stays found.

use longwire_simulator::{Campaign, run, trace};

#[test]
fn a_history_repeats_itself() {
    for seed in 0..300 {
        assert_eq!(run(seed).digest, run(seed).digest, "seed {seed}");
    }
}

#[test]
fn a_trace_is_the_same_on_every_run_and_changes_nothing() {
    for seed in 0..40 {
        let ((outcome, one), (_, two)) = (trace(seed), trace(seed));
        assert_eq!(one, two, "seed {seed}");
        assert_eq!(outcome.digest, run(seed).digest, "seed {seed}");
        assert!(one.lines().count() > 20, "seed {seed}: a history is longer than that");
    }
}

#[test]
fn threads_change_nothing() {
    let campaign = Campaign { from: 7_000, seeds: 400, threads: 1, most: 1 };
    let (one, three) = (campaign.run(), Campaign { threads: 3, ..campaign }.run());
    assert_eq!((one.digest, one.coverage), (three.digest, three.coverage));
    assert_ne!(one.digest, Campaign { from: 8_000, ..campaign }.run().digest);
}

#[test]
fn what_was_found_once_stays_mended() {
    for line in include_str!("../seeds.txt").lines().filter(|line| !line.starts_with('#')) {
        let seed = line.split_whitespace().next().and_then(|seed| seed.parse().ok()).expect("a seed");
        let violation = run(seed).violation;
        assert!(violation.is_none(), "{line}: {}", violation.unwrap());
    }
}

#[test]
fn some_histories_hold() {
    let findings = Campaign { from: 0, seeds: 3_000, threads: 2, most: 5 }.run();
    for violation in &findings.violations {
        eprintln!("{violation}");
    }
    assert!(findings.violations.is_empty());
}
