#!/usr/bin/env bash
# All Go tests with the race detector, the end-to-end suite included: it starts
# the real binary and real clients (OpenTelemetry SDKs, Prometheus, amtool).
set -euo pipefail
cd "$(dirname "$0")/.."
scripts/need.sh cc python3 pip3 java mvn node npm curl jq
exec "${GO:-go}" test -race -timeout 25m ./...
