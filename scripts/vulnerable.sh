#!/usr/bin/env bash
# vulnerable.sh [PACKAGES]: look for known vulnerabilities in what is linked into the binary and in what the
# UI ships. Found ones fail. Where their lists cannot be reached it says so and fails nothing: a network that is
# away breaks no build.
set -uo pipefail
cd "$(dirname "$0")/.."
go=${GO:-go}
list=${GOVULNDB:-https://vuln.go.dev}
bad=0

if curl -fsS -m 15 -o /dev/null "$list/index/db.json" 2>/dev/null; then
  timeout 900 "$go" tool -modfile=tools/go.mod govulncheck -db "$list" "${@:-./...}"
  case $? in
    0) ;;
    3) bad=1 ;; # it found some
    *) echo "NOT CHECKED for vulnerabilities: govulncheck did not finish" >&2 ;;
  esac
else
  echo "NOT CHECKED for vulnerabilities: the Go modules, $list cannot be reached" >&2
fi

cd web
answer=$(timeout 120 npm audit --omit=dev --json --fetch-retries=0 --fetch-timeout=20000 2>/dev/null)
if severe=$(jq -e '.metadata.vulnerabilities | .high + .critical' <<<"$answer" 2>/dev/null); then
  if [ "$severe" != 0 ]; then
    jq '.vulnerabilities' <<<"$answer"
    bad=1
  fi
else
  echo "NOT CHECKED for vulnerabilities: the UI's packages, the registry answers no audit" >&2
fi
exit $bad
