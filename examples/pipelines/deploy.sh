#!/usr/bin/env bash
# Asks the gate, deploys, and marks the deployment.
#   SIGNALBOX_SERVER=https://signalbox.example.org deploy.sh SERVICE ENVIRONMENT VERSION [COMMAND...]
# Exit status: that of the gate (1 blocked, 2 held or undecidable, 3 no answer), or of the command.
set -euo pipefail
service=$1 environment=$2 version=$3
shift 3
actor=${DEPLOY_ACTOR:-$(id -un)}

mark() { # status
  curl --silent --show-error --fail --output /dev/null --request POST "$SIGNALBOX_SERVER/sb/v1/deploys" --header 'Content-Type: application/json' \
    --data "{\"service\":\"$service\",\"environment\":\"$environment\",\"version\":\"$version\",\"status\":\"$1\",\"actor\":\"$actor\"}"
}

signalbox gate check --service "$service" --environment "$environment" --version "$version" --actor "$actor" ${GATE_FLAGS:-}
mark started
if "${@:-true}"; then
  mark succeeded
else
  status=$?
  mark failed
  exit "$status"
fi
