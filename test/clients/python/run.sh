#!/bin/sh
# run.sh <otlp-grpc-endpoint> <otlp-http-endpoint>: see ../README.md.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
want=$(cksum < "$here/requirements.txt" | cut -d' ' -f1)
lib="${SIGNALBOX_TEST_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/signalbox/clients}/python-$want"
if [ ! -e "$lib/.complete" ]; then
	"$here/../../../scripts/retry.sh" python3 -m pip install --quiet --disable-pip-version-check --target "$lib" --upgrade -r "$here/requirements.txt" >&2
	: > "$lib/.complete"
fi
PYTHONDONTWRITEBYTECODE=1 PYTHONPATH="$lib" exec python3 "$here/client.py" "$1"
