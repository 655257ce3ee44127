#!/usr/bin/env bash
# retry.sh COMMAND... : run a command that fetches something, three times where it must be: a registry
# that is busy for a moment fails no build.
set -uo pipefail
for pause in 5 20; do
  "$@" && exit 0
  echo "retry.sh: failed, again in $pause s: $*" >&2
  sleep "$pause"
done
exec "$@"
