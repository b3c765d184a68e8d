#!/usr/bin/env bash
# Fuzzes every target, or those that are named, for so many seconds each, with its seeds, its vectors and its dictionary; stops at
# the first that fails. It needs nightly Rust and cargo-fuzz.
#
#     fuzz/every.sh 10
#     fuzz/every.sh 600 decoder pair
set -euo pipefail
cd "$(dirname "$0")/.."
seconds=${1:?how many seconds for each target}
shift
if [ $# = 0 ]; then
    mapfile -t targets < <(basename -s .rs fuzz/fuzz_targets/*.rs)
else
    targets=("$@")
fi
(cd fuzz && cargo run --quiet --bin corpus)
for target in "${targets[@]}"; do
    # The first line of a dictionary names its targets.
    dictionary=$(grep --max-count=1 --files-with-matches --extended-regexp "^# .*: .*\b$target\b" fuzz/dictionaries/*.dict || true)
    echo "$target"
    cargo +nightly fuzz run "$target" "fuzz/corpus/$target" "fuzz/seeds/$target" -- \
        -max_total_time="$seconds" -max_len=4096 -print_final_stats=1 ${dictionary:+-dict="$dictionary"} 2>&1 |
        { grep --extended-regexp "panicked|ERROR|Failing|stat::number|stat::new_units|Assertion|SUMMARY|^Done" || true; }
done
