#!/bin/sh
# run.sh <otlp-grpc-endpoint> <otlp-http-endpoint>: see ../README.md.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
want=$(cat "$here/pom.xml" "$here/src/main/java/client/Client.java" | cksum | cut -d' ' -f1)
dir="${SIGNALBOX_TEST_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/signalbox/clients}/java-$want"
if [ ! -e "$dir/.complete" ]; then
	mkdir -p "$dir"
	"$here/../../../scripts/retry.sh" mvn --batch-mode --quiet --file "$here/pom.xml" "-Dbuild.dir=$dir" compile >&2
	: > "$dir/.complete"
fi
exec java -cp "$dir/classes:$dir/lib/*" client.Client "$1"
