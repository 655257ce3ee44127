#!/usr/bin/env bash
# Drive the UI of a freshly started demo in a real browser, and those of a server with tenants, of one whose front door fails, and of one that asks everybody who they are.
set -euo pipefail
cd "$(dirname "$0")/.."
scripts/need.sh chromium
go=${GO:-go}
work=$(mktemp -d)
# Without the race detector, which the Go suite has: pages wait for what users wait for.
"$go" build -o "$work/signalbox" ./cmd/signalbox

serve() { # command, folder; more arguments follow
  "$work/signalbox" "$1" --storage.path "$work/$2" --web.listen-address 127.0.0.1:0 \
    --otlp.grpc-address 127.0.0.1:0 --otlp.http-address 127.0.0.1:0 "${@:3}" >"$work/$2.log" 2>&1 &
  pids+=($!)
}
pids=()
stop() {
  kill "${pids[@]}" 2>/dev/null || true
  wait "${pids[@]}" 2>/dev/null || true
  rm -rf "$work"
}
trap stop EXIT
serve demo demo
serve serve tenants --config.file web/e2e/tenants/signalbox.yml
serve serve incident --config.file web/e2e/incident/signalbox.yml
serve serve trust --auth.enabled --config.file web/e2e/trust/hostile/signalbox.yml

# until LOG EXPRESSION prints what sed finds in a log, once it is there.
until_said() {
  local found
  for _ in $(seq 300); do
    found=$(sed -n "$2" "$work/$1.log" | head -1)
    [ -n "$found" ] && { echo "$found"; return; }
    kill -0 "${pids[@]}" 2>/dev/null || break
    sleep 0.5
  done
  cat "$work/$1.log" >&2
  return 1
}
listening='s/.*msg="web is listening".* url=\([^ ]*\).*/\1/p'
SIGNALBOX_URL=$(until_said demo "$listening")
SIGNALBOX_TENANTS_URL=$(until_said tenants "$listening")
SIGNALBOX_INCIDENT_URL=$(until_said incident "$listening")
SIGNALBOX_TRUST_URL=$(until_said trust "$listening")
SIGNALBOX_FIRST_ADMIN=$(until_said trust 's/^ *\(http.*setup#.*\)/\1/p')
until_said demo '/history written/p' >/dev/null
export SIGNALBOX_URL SIGNALBOX_TENANTS_URL SIGNALBOX_INCIDENT_URL SIGNALBOX_TRUST_URL SIGNALBOX_FIRST_ADMIN
cd web
npm run --silent e2e || { tail -n 50 "$work/demo.log" "$work/trust.log" "$work/tenants.log" "$work/incident.log"; exit 1; }
