#!/usr/bin/env bash
# Logs in by a real Keycloak, which Maven brings (164 MB) and which runs for as long as the test does. Where it cannot be had the
# test is skipped, and that is said. KEYCLOAK names an unpacked distribution to use instead; KEYCLOAK_PORT is where it listens.
set -euo pipefail
cd "$(dirname "$0")/.."
version=26.5.6
port=${KEYCLOAK_PORT:-18480}
skip() {
  echo "WARNING: SKIPPED, logging in by a real Keycloak is not tested: $1" >&2
  exit 0
}

work=$(mktemp -d)
pid=
trap '[ -z "$pid" ] || kill "$pid" 2>/dev/null || true; [ -z "$pid" ] || wait "$pid" 2>/dev/null || true; rm -rf "$work"' EXIT
if [ -z "${KEYCLOAK:-}" ]; then
  scripts/need.sh java mvn || skip "it needs Java and Maven"
  mvn -q -B org.apache.maven.plugins:maven-dependency-plugin:3.6.1:copy -DoutputDirectory="$work" \
    -Dartifact=org.keycloak:keycloak-quarkus-dist:$version:tar.gz >"$work/mvn.log" 2>&1 || skip "Maven does not bring it: $(tail -n 1 "$work/mvn.log")"
  tar xzf "$work/keycloak-quarkus-dist-$version.tar.gz" -C "$work"
  KEYCLOAK=$work/keycloak-$version
fi
KC_BOOTSTRAP_ADMIN_USERNAME=admin KC_BOOTSTRAP_ADMIN_PASSWORD=admin JAVA_OPTS_KC_HEAP="-Xms64m -Xmx400m" \
  "$KEYCLOAK/bin/kc.sh" start-dev --http-host=127.0.0.1 --http-port="$port" --http-management-port="$((port + 10))" >"$work/keycloak.log" 2>&1 &
pid=$!
for _ in $(seq 600); do # the first start compiles for minutes
  kill -0 "$pid" 2>/dev/null || { tail -n 20 "$work/keycloak.log" >&2; skip "it does not start"; }
  curl -sfo "$work/ready" "http://127.0.0.1:$port/realms/master/.well-known/openid-configuration" && break
  sleep 1
done
[ -s "$work/ready" ] || skip "it was not ready within 10 minutes"
"${GO:-go}" test ./internal/auth/oidc -count=1 -v -run 'TestRealKeycloak' -keycloak "http://127.0.0.1:$port"
