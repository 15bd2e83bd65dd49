#!/bin/bash
# Leaves what some programs leave: a container that waits to be started, in a cgroup of its own,
# with its bundle, a mount and a process.
set -euo pipefail

bundle=$(mktemp -d -t ocitestXXXXXX)
tar -xf rootfs-*.tar.gz -C "$bundle"
cp runtimetest "$bundle/"
id=$(</proc/sys/kernel/random/uuid)
sed -i "s|\"linux\": {|&\"cgroupsPath\": \"/sample-$$/cgrouptest\",|" "$bundle/config.json"

echo "TAP version 13"
"$RUNTIME" create --bundle "$bundle" "$id" >"$bundle/stdout" 2>"$bundle/stderr" </dev/null || {
	cat "$bundle/stderr" >&2
	exit 1
}
mount -t tmpfs tmpfs "$bundle/tmp"
setsid sleep 1000 &
echo "ok 1 - left $id, $!, /sample-$$"
echo "1..1"
