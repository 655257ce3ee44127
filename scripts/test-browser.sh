#!/usr/bin/env bash
# Drive the UI of a freshly started demo in a real browser.
set -euo pipefail
cd "$(dirname "$0")/.."
scripts/need.sh chromium
go=${GO:-go}
work=$(mktemp -d)
# Without the race detector, which the Go suite has: pages wait for what users wait for.
"$go" build -o "$work/signalbox" ./cmd/signalbox

"$work/signalbox" demo --storage.path "$work/data" --web.listen-address 127.0.0.1:0 \
  --otlp.grpc-address 127.0.0.1:0 --otlp.http-address 127.0.0.1:0 >"$work/demo.log" 2>&1 &
demo=$!
stop() {
  kill "$demo" 2>/dev/null || true
  wait "$demo" 2>/dev/null || true
  rm -rf "$work"
}
trap stop EXIT

url=
for _ in $(seq 300); do
  url=$(sed -n 's/.*msg="web is listening".* url=\([^ ]*\).*/\1/p' "$work/demo.log" | head -1)
  if [ -n "$url" ] && grep -q 'history written' "$work/demo.log"; then break; fi
  kill -0 "$demo" 2>/dev/null || { cat "$work/demo.log"; exit 1; }
  sleep 0.5
done
[ -n "$url" ] || { cat "$work/demo.log"; exit 1; }
cd web
SIGNALBOX_URL=$url npm run --silent e2e || { tail -50 "$work/demo.log"; exit 1; }
