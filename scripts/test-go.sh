#!/usr/bin/env bash
# All Go tests with the race detector, the end-to-end suite included: it starts
# the real binary and real clients (OpenTelemetry SDKs, Prometheus, amtool).
set -euo pipefail
cd "$(dirname "$0")/.."
scripts/need.sh cc python3 pip3 java mvn node npm curl jq
scripts/need.sh slapd ldapmodify || echo "WARNING: without slapd logging in by LDAP is not tested" >&2
scripts/need.sh rsyslogd || echo "WARNING: without rsyslogd shipping the audit log is not tested with a real receiver of syslog" >&2
scripts/need.sh mkfs.ext4 mount || echo "WARNING: without mkfs.ext4 and mount encryption by the file system is not tested with a real one" >&2
go=${GO:-go}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"$go" build -race -o "$work/signalbox" ./cmd/signalbox
# The end-to-end suite is the longest and waits most of the time: it begins first, and the others fill its gaps.
SIGNALBOX_BINARY=$work/signalbox "$go" test -race -timeout 25m ./test/e2e ./...
# On a full disk compactions rest, and the TSDB reads without a lock that they do: the race detector would name it.
"$go" test -timeout 10m -run 'TestADiskThatIsFullAtTheStart' ./test/e2e
