#!/bin/bash
# What a caller sees of a container, from create to delete.
set -uo pipefail

count=0
told() { # VERDICT DESCRIPTION
	count=$((count + 1))
	if (($1)); then echo "not ok $count - $2"; else echo "ok $count - $2"; fi
	printf '  ---\n  {\n    "output": "%s"\n  }\n  ...\n' "$(tr '\n"\134' ' ' <"$bundle/output")"
}
works() { # DESCRIPTION WORD...
	"$RUNTIME" "${@:2}" >"$bundle/output" 2>&1 </dev/null
	told $? "$1"
}
fails() {
	! "$RUNTIME" "${@:2}" >"$bundle/output" 2>&1 </dev/null
	told $? "$1"
}
is() { # STATUS DESCRIPTION
	"$RUNTIME" state "$id" >"$bundle/output" 2>&1
	grep -q "\"status\": *\"$1\"" "$bundle/output"
	told $? "$2"
}

bundle=$(mktemp -d -t ocitestXXXXXX)
tar -xf rootfs-*.tar.gz -C "$bundle" && cp runtimetest "$bundle/" || exit 1
id=$(</proc/sys/kernel/random/uuid)

echo "TAP version 13"
fails "start without an id MUST fail" start
fails "state of a container that does not exist MUST fail" state "$id"
works "create works" create --bundle "$bundle" --pid-file "$bundle/pid" "$id"
is created "a container that was not started is created"
fails "create with an id that is in use MUST fail" create --bundle "$bundle" "$id"
works "start works" start "$id"
until "$RUNTIME" state "$id" 2>&1 | grep -q '"stopped"' || ((SECONDS > 10)); do :; done
is stopped "a container whose process ended is stopped"
fails "start of a stopped container MUST fail" start "$id"
works "delete works" delete "$id"
fails "state of a deleted container MUST fail" state "$id"
echo "1..$count"
rm -rf "$bundle"
