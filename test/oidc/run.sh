#!/bin/sh
# run.sh <port> <Signalbox's address>: a real OpenID Connect provider (npm: oidc-provider) for the tests of internal/auth/oidc.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
want=$(cksum < "$here/package-lock.json" | cut -d' ' -f1)
dir="${SIGNALBOX_TEST_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/signalbox/clients}/oidc-$want"
if [ ! -e "$dir/.complete" ]; then
	mkdir -p "$dir"
	cp "$here/package.json" "$here/package-lock.json" "$dir/"
	(cd "$dir" && "$here/../../scripts/retry.sh" npm ci --no-audit --no-fund --ignore-scripts >&2)
	: > "$dir/.complete"
fi
cp "$here/provider.js" "$dir/provider.js" # modules are found beside the program
exec node "$dir/provider.js" "$@"
