#!/usr/bin/env bash
# Start a fresh server and load it, one signal after the other. Prints units/s,
# CPU seconds per million units, memory and disk per unit; see docs/benchmarks.md.
# Further arguments go to `signalbox bench`.
set -euo pipefail
cd "$(dirname "$0")/.."
work=$(mktemp -d)
bin/signalbox serve --storage.path "$work/data" --web.listen-address 127.0.0.1:0 \
  --otlp.grpc-address 127.0.0.1:0 --otlp.http-address 127.0.0.1:0 >"$work/log" 2>&1 &
server=$!
stop() {
  kill "$server" 2>/dev/null || true
  wait "$server" 2>/dev/null || true
  rm -rf "$work"
}
trap stop EXIT
for _ in $(seq 100); do
  grep -q 'msg=ready' "$work/log" && break
  kill -0 "$server" 2>/dev/null || { cat "$work/log"; exit 1; }
  sleep 0.1
done
url=$(sed -n 's/.*msg="web is listening".* url=\([^ ]*\).*/\1/p' "$work/log" | head -1)
echo "ready: $(sed -n 's/.*msg=ready took=\([^ ]*\).*/\1/p' "$work/log")"
sleep 20 # idle figures settle
echo "idle memory: $(awk '/VmRSS/ {printf "%.0f MB", $2/1024}' "/proc/$server/status")"
bin/signalbox bench --server "$url" --pid "$server" --data "$work/data" "$@"
