#!/usr/bin/env bash
# The slow proofs, for a person to run: kill -9 under load, 200 times; 1,000 pages, timed; 10,000
# promises under load; and every fuzz target for a while. KILL_CYCLES, LATENCY_TRIALS, LOAD_SLOS,
# LOAD_RATE (samples a second), LOAD_FOR and FUZZ_TIME change how much; LOAD_RATE must be one that the
# machine holds. Timings want a machine that does nothing else.
set -euo pipefail
cd "$(dirname "$0")/.."
go=${GO:-go}

echo "== ${KILL_CYCLES:-200} kill -9 cycles under load, with compaction, sealing and merging every few seconds"
SIGNALBOX_BINARY=$PWD/bin/signalbox "$go" test ./test/e2e -count=1 -timeout 3h -v \
  -run 'TestAcknowledgedSurvivesKill9' -kill-cycles "${KILL_CYCLES:-200}"

echo "== condition true → webhook, ${LATENCY_TRIALS:-1000} trials"
SIGNALBOX_BINARY=$PWD/bin/signalbox "$go" test ./test/e2e -count=1 -timeout 1h -v \
  -run 'TestConditionToWebhook' -latency-trials "${LATENCY_TRIALS:-1000}"

echo "== ${LOAD_SLOS:-10000} promises while ${LOAD_RATE:-200000} samples/s come in"
SIGNALBOX_BINARY=$PWD/bin/signalbox "$go" test ./test/e2e -count=1 -timeout 1h -v -run 'TestSLOsUnderLoad' \
  -load-slos "${LOAD_SLOS:-10000}" -load-rate "${LOAD_RATE:-200000}" -load-series 100000 -load-for "${LOAD_FOR:-60s}" -load-trials 20

echo "== public suites beside the reference: Prometheus' query scripts, Alertmanager's acceptance tests, and the checkouts below SUITES (${SUITES:-nothing: PromQL compliance, the remote write receiver and imports are SKIPPED})"
(cd test/suites && SIGNALBOX_BINARY=$PWD/../../bin/signalbox "$go" test ./... -count=1 -timeout 1h -v -run . | grep -v '^=== ')

echo "== logging in by a real Active Directory domain controller (Samba), in a network of its own"
scripts/need.sh samba-tool ldbmodify ip || echo "WARNING: without Samba logging in by Active Directory is not tested" >&2
"$go" test ./internal/auth/directory -count=1 -v -run 'TestRealActiveDirectory' -active-directory

echo "== logging in by a real Keycloak"
scripts/prove-keycloak.sh

echo "== a real file system encrypts the storage folder: nothing on the disk is plain, a kill, no privileges (needs root and loop devices)"
scripts/need.sh mkfs.ext4 mount || echo "WARNING: without mkfs.ext4 and mount encryption by the file system is not tested" >&2
"$go" test ./internal/seal/atrest ./internal/app -count=1 -v -run 'TestTheKernelEncrypts|TestTheDiskHoldsNothingPlain|TestAFileSystemThatDoesNot|TestAUserWithoutPrivileges|TestTheWholeStorageIsEncrypted' | grep -v '^=== '

echo "== what authentication, authorisation and the audit log cost"
"$go" test ./internal/app -count=1 -v -run 'TestTrustCostsLittle' -trust-cost

echo "== every property test, ${DRAWS:-1000} draws, and every kill of the metrics store"
RAPID_CHECKS=${DRAWS:-1000} "$go" test ./internal/... -count=1 -timeout 3h

echo "== every oracle of promises, 1,000 draws"
"$go" test ./internal/slo -count=1 -timeout 1h -run 'Equal|37Requests' -rapid.checks 1000

echo "== ${ROTA_SCHEDULES:-10000} random on-call schedules beside counting minute by minute"
ROTA_SCHEDULES=${ROTA_SCHEDULES:-10000} "$go" test ./internal/oncall/rota -count=1 -timeout 3h -v -run 'TestSchedulesAnswerWhatCountingDoes'

echo "== the example files of Sloth, Pyrra, OpenSLO, oslo and slo-generator, below ${SIGNALBOX_SLO_EXAMPLES:-nothing: SIGNALBOX_SLO_EXAMPLES is not set, SKIPPED}"
"$go" test ./internal/slo/openslo -count=1 -v -run 'TestPublicFilesOfOtherTools'

echo "== every fuzz target for ${FUZZ_TIME:-30s}"
grep -rl --include='*_test.go' '^func Fuzz' internal | xargs -n1 dirname | sort -u | while read -r dir; do
  "$go" test "./$dir" -list '^Fuzz' | grep '^Fuzz' | while read -r target; do
    echo "-- $dir $target"
    "$go" test "./$dir" -run '^$' -fuzz "^$target\$" -fuzztime "${FUZZ_TIME:-30s}"
  done
done
