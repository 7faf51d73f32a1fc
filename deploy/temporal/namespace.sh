#!/bin/sh
# Makes the namespace and its search attributes where they are missing. An operator's longer retention stays.
# TEMPORAL_ADDRESS is the CLI's own variable.
set -eu

namespace=${TEMPORAL_NAMESPACE:?is not set}
# Closed histories are archived before they end here; adapters/embedded/namespace.py says the same.
retention=720h
attempts=30

# Asked again and again: a server learns of a new namespace some seconds after it was made.
insist() {
    for _ in $(seq "$attempts"); do
        if "$@"; then return 0; fi
        sleep "${PAUSE_S:-2}"
    done
    echo "Temporal did not do it: $*" >&2
    return 1
}

made() {
    temporal operator namespace describe --namespace "$namespace" >/dev/null 2>&1 ||
        temporal operator namespace create --namespace "$namespace" --retention "$retention"
}

attribute() {
    if listed "$1"; then return 0; fi
    temporal operator search-attribute create --namespace "$namespace" --name "$1" --type "$2"
}

listed() {
    temporal operator search-attribute list --namespace "$namespace" | grep -q "^ *$1 "
}

insist made
for name in TenantId Stage RiskBand Owner Outcome; do
    insist attribute "$name" Keyword
done
insist attribute ApprovalDue Datetime
