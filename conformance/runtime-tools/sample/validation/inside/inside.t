#!/bin/bash
# What a container sees: runtimetest runs in it, and its TAP is ours.
set -euo pipefail

bundle=$(mktemp -d -t ocitestXXXXXX)
tar -xf rootfs-*.tar.gz -C "$bundle"
cp runtimetest "$bundle/"
id=$(</proc/sys/kernel/random/uuid)
trap '"$RUNTIME" delete --force "$id" && rm -rf "$bundle"' EXIT

"$RUNTIME" create --bundle "$bundle" "$id" >"$bundle/stdout" 2>"$bundle/stderr" </dev/null || {
	cat "$bundle/stderr" >&2
	exit 1
}
"$RUNTIME" start "$id"
until "$RUNTIME" state "$id" | grep -q '"stopped"'; do
	((SECONDS < 10)) || { echo "it does not stop" >&2 && exit 1; }
done
cat "$bundle/stdout"
