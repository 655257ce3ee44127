#!/usr/bin/env bash
# All Go tests with the race detector, the end-to-end suite included: it starts
# the real binary and real clients (OpenTelemetry SDKs, Prometheus, amtool).
set -euo pipefail
cd "$(dirname "$0")/.."
scripts/need.sh cc python3 pip3 java mvn node npm curl jq
scripts/need.sh slapd ldapmodify || echo "WARNING: without slapd logging in by LDAP is not tested" >&2
"${GO:-go}" test -race -timeout 25m ./...
# On a full disk compactions rest, and the TSDB reads without a lock that they do: the race detector would name it.
"${GO:-go}" test -timeout 10m -run 'TestADiskThatIsFullAtTheStart' ./test/e2e
