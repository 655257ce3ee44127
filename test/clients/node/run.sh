#!/bin/sh
# run.sh <otlp-grpc-endpoint> <otlp-http-endpoint>: see ../README.md.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
want=$(cksum < "$here/package-lock.json" | cut -d' ' -f1)
dir="${SIGNALBOX_TEST_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/signalbox/clients}/node-$want"
if [ ! -e "$dir/.complete" ]; then
	mkdir -p "$dir"
	cp "$here/package.json" "$here/package-lock.json" "$dir/"
	(cd "$dir" && "$here/../../../scripts/retry.sh" npm ci --no-audit --no-fund --ignore-scripts >&2)
	: > "$dir/.complete"
fi
cp "$here/client.js" "$dir/client.js" # modules are found beside the program
exec node "$dir/client.js" "$2"
