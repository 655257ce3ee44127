#!/usr/bin/env bash
# The slow proofs, for a person to run: kill -9 under load, 200 times, and every
# fuzz target for a while. KILL_CYCLES and FUZZ_TIME change how much.
set -euo pipefail
cd "$(dirname "$0")/.."
go=${GO:-go}

echo "== ${KILL_CYCLES:-200} kill -9 cycles under load"
SIGNALBOX_BINARY=$PWD/bin/signalbox "$go" test ./test/e2e -count=1 -timeout 3h -v \
  -run 'TestAcknowledgedSurvivesKill9' -kill-cycles "${KILL_CYCLES:-200}"

echo "== page latency without the race detector"
SIGNALBOX_BINARY=$PWD/bin/signalbox "$go" test ./test/e2e -count=5 -v -run 'TestAWebhookReceivesThePageWithinTwoSeconds'

echo "== every fuzz target for ${FUZZ_TIME:-30s}"
grep -rl --include='*_test.go' '^func Fuzz' internal | xargs -n1 dirname | sort -u | while read -r dir; do
  "$go" test "./$dir" -list '^Fuzz' | grep '^Fuzz' | while read -r target; do
    echo "-- $dir $target"
    "$go" test "./$dir" -run '^$' -fuzz "^$target\$" -fuzztime "${FUZZ_TIME:-30s}"
  done
done
