#!/bin/bash
# vm.sh - run a command as root in a throw-away Debian VM: systemd, cgroup v2,
# emulated (TCG), so that it needs no /dev/kvm. Run it as root: it needs
# qemu-system-x86, mmdebstrap, e2fsprogs and xz-utils.
#
#   vm.sh build                      make the image and boot it once (minutes)
#   vm.sh run [OPTION...] -- COMMAND [ARG...]
#     --ro DIR, --rw DIR   show host DIR in the guest at the same path; repeatable.
#                          The command starts in the first DIR given.
#     --timeout SECONDS    end the VM after so long, with status 124 (default 600)
#     --cold               boot afresh instead of resuming the booted VM
#     --append ARGS        more kernel arguments (implies --cold)
#
# run prints what COMMAND prints, and exits with COMMAND's status. The guest's
# disk and memory are forgotten after each run; only --rw DIRs keep changes.
# Inside, `as-user COMMAND...` runs COMMAND in the systemd session of the
# unprivileged user "user", who has subordinate ids and a delegated cgroup.
#
# SUITE=trixie|forky picks the Debian release, VM_CACHE where images are kept, MIRROR
# the Debian mirror (default: the one that this machine's apt uses).
#
# How it is quick: build keeps the memory of the booted, idle guest in a file
# and its device state in another; run copies the former to /dev/shm and resumes.
set -euo pipefail
here=$(dirname "$(realpath "$0")")

suite=${SUITE:-trixie}
cache=${VM_CACHE:-$HOME/.cache/hull-vm}/$suite
mem=2G
virtiofsd=/usr/lib/qemu/virtiofsd
[[ -x $virtiofsd ]] || virtiofsd=/usr/libexec/virtiofsd
packages=(
	linux-image-cloud-amd64 kmod udev systemd-sysv dbus dbus-user-session libpam-systemd
	crun runc podman containerd criu uidmap netavark aardvark-dns passt fuse-overlayfs
	iproute2 nftables iptables procps strace jq bats attr acl apparmor busybox-static
	python3
)

die() { echo "vm.sh: $*" >&2; exit 125; }

# guest ROOT: add to the packages in ROOT the files under guest/ and what these need.
guest() {
	local root=$1 unit
	cp -r "$here/guest/." "$root"
	mkdir -p "$root/etc/systemd/system/graphical.target.wants"
	ln -s ../vm-agent.service "$root/etc/systemd/system/graphical.target.wants/"
	chroot "$root" useradd -m -s /bin/bash user
	install -D /dev/null "$root/var/lib/systemd/linger/user" # its systemd runs from boot on

	# Off with what only costs time. AppArmor itself stays on, its 150 profiles go.
	find "$root/etc/apparmor.d" -maxdepth 1 -type f -delete
	for unit in getty.target systemd-binfmt.service ldconfig.service systemd-hwdb-update.service \
		systemd-journal-catalog-update.service e2scrub_{reap.service,all.timer} fstrim.timer \
		apt-daily{,-upgrade}.timer dpkg-db-backup.timer systemd-tmpfiles-clean.timer \
		podman{,-restart,-clean-transient}.service podman-auto-update.{service,timer} \
		netavark-dhcp-proxy.{service,socket} netavark-firewalld-reload.service; do
		ln -sfn /dev/null "$root/etc/systemd/system/$unit"
	done

	# A root filesystem for bundles, from which the agent makes images for podman and containerd.
	mkdir -p "$root"/opt/busybox/{bin,dev,etc,proc,sys,tmp}
	cp "$root/bin/busybox" "$root/opt/busybox/bin/"
	chroot "$root" busybox --list | grep -vx busybox | xargs -I{} ln -s busybox "$root/opt/busybox/bin/{}"
	echo root:x:0:0:root:/:/bin/sh >"$root/opt/busybox/etc/passwd"
	tar -C "$root/opt/busybox" -cf "$root/opt/busybox.tar" .
}

# initrd ROOT: print an initramfs: our init with ROOT's busybox and disk driver.
initrd() {
	local dir=$cache/initrd.dir
	mkdir -p "$dir"/{bin,dev,root}
	cp "$1/bin/busybox" "$dir/bin/"
	cp "$here/initrd-init" "$dir/init"
	xz -dc "$1"/lib/modules/*/kernel/drivers/block/virtio_blk.ko.xz >"$dir/virtio_blk.ko"
	(cd "$dir" && find . | bin/busybox cpio -o -H newc 2>/dev/null)
	rm -r "$dir"
}

# vm SECONDS ARG...: QEMU for at most SECONDS, with the machine that build and run share.
# As a job it is QEMU's own process, so that the job's end is QEMU's.
vm() {
	${job:+exec} timeout "$1" qemu-system-x86_64 -nodefaults -no-user-config -display none -no-reboot \
		-M pc,memory-backend=ram -accel tcg,thread=multi,tb-size=512 -cpu Nehalem -smp 2 -m $mem \
		-kernel "$cache/vmlinuz" -initrd "$cache/initrd" \
		-device virtio-blk-pci,drive=disk,addr=2 \
		-device virtio-serial-pci,addr=3 -device virtserialport,chardev=tty,name=tty "${@:2}"
}
kargs="quiet console=ttyS0 panic=-1 mitigations=off systemd.show_status=0"

build() {
	local root=$cache/root
	mkdir -p "$cache"
	rm -rf "${cache:?}"/*
	# shellcheck disable=SC2016  # apt's own notation
	local mirror=${MIRROR:-$(apt-get indextargets --format '$(REPO_URI)' | grep -m1 '/debian/\?$')}
	INITRD=No mmdebstrap --quiet --variant=minbase --include="${packages[*]}" \
		--dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-exclude=/usr/share/man/*' \
		--dpkgopt='path-exclude=/usr/share/locale/*' \
		--aptopt='Acquire::Check-Valid-Until "false"' \
		"$suite" "$root" "deb $mirror $suite main"
	guest "$root"
	cp "$root"/boot/vmlinuz-* "$cache/vmlinuz"
	initrd "$root" >"$cache/initrd"
	truncate -s 6G "$cache/disk"
	mke2fs -q -t ext4 -d "$root" "$cache/disk"
	rm -r "$root"

	: >"$cache/boot.log"
	vm 900 -append "$kargs vm.prepare" \
		-object memory-backend-file,id=ram,size=$mem,mem-path="$cache/ram",share=on \
		-drive if=none,id=disk,format=raw,file="$cache/disk",cache=unsafe \
		-chardev file,id=tty,path="$cache/boot.log" -monitor stdio \
		-serial file:"$cache/console.log" < <(
			# The empty lines are harmless, and end this loop should QEMU be gone.
			until grep -qx ready "$cache/boot.log"; do echo; sleep .2; done
			echo migrate_set_capability x-ignore-shared on
			echo "migrate \"exec:cat >$cache/state\""
			echo quit
		) >"$cache/monitor.log"
	[[ -s $cache/state ]] || die "the guest did not come up: see $cache/*.log"
}

# share TAG DIR: serve DIR by virtiofs; adds to run's tags and options.
share() {
	"$virtiofsd" --socket-path="$run/$1.sock" -o source="$2" &>"$run/$1.log" &
	until [[ -S $run/$1.sock ]]; do
		kill -0 $! 2>/dev/null || die "$(cat "$run/$1.log")"
		sleep .01
	done
	tags+=("$1") options+=(-chardev "socket,id=$1,path=$run/$1.sock")
}

# monitor COMMAND...: send QEMU's monitor each COMMAND, as QMP because that reports events.
monitor() {
	printf '{"execute":"human-monitor-command","arguments":{"command-line":"%s"}}\n' "$@" >"$run/monitor.in"
}

# resume: load the booted VM into the QEMU that waits for it, then plug the shares in,
# for QEMU cannot load a state into a machine that has them.
resume() {
	echo '{"execute":"qmp_capabilities"}' >"$run/monitor.in"
	monitor "migrate_set_capability x-ignore-shared on" "migrate_incoming exec:cat<$cache/state"
	grep -qm1 '"RESUME"' "$run/monitor.out"
	monitor "${tags[@]/*/device_add vhost-user-fs-pci,tag=&,chardev=&}"
}

run() {
	local append='' cold='' limit=600 mounts=() options=() tags=() tag dir status=0
	[[ -s $cache/state ]] || die "no image of $suite in $cache: make it with vm.sh build"
	run=$(mktemp -d /dev/shm/vm.XXXXXX)
	trap 'kill $(jobs -p) 2>/dev/null || :; rm -rf "$run"' EXIT
	trap 'exit 130' INT TERM
	while [[ ${1?"-- COMMAND is missing"} != -- ]]; do
		case $1 in
		--ro|--rw)
			tag=share${#tags[@]} dir=$(realpath "$2")
			share "$tag" "$dir"
			mounts+=("mkdir -p ${dir@Q} && mount -t virtiofs -o ${1#--} $tag ${dir@Q} || exit 125")
			[[ $tag != share0 ]] || mounts+=("cd ${dir@Q}")
			shift ;;
		--timeout) limit=$2; shift ;;
		--cold) cold=y ;;
		--append) cold=y append=$2; shift ;;
		*) die "unknown option $1" ;;
		esac
		shift
	done
	shift
	mkdir "$run/share"
	mkfifo "$run"/{stdin,monitor.in,monitor.out}
	share vm-run "$run/share" # the last, so that the agent finds it once all are there
	printf '%s\n' '#!/bin/bash' "date --set=@$EPOCHREALTIME >/dev/null" "${mounts[@]}" "exec ${*@Q}" \
		>"$run/share/command"
	chmod +x "$run/share/command"

	if [[ $cold ]]; then
		options+=(-append "$kargs $append" -object "memory-backend-memfd,id=ram,size=$mem,share=on")
		for tag in "${tags[@]}"; do options+=(-device "vhost-user-fs-pci,tag=$tag,chardev=$tag"); done
	else
		cp "$cache/ram" "$run/ram"
		# shellcheck disable=SC2054  # QEMU's commas
		options+=(-object "memory-backend-file,id=ram,size=$mem,mem-path=$run/ram,share=on"
			-incoming defer -chardev "pipe,id=monitor,path=$run/monitor" -mon monitor,mode=control)
		resume &
	fi
	job=y vm "$limit" "${options[@]}" -chardev stdio,id=tty,signal=off -serial file:"$run/console.log" \
		-drive if=none,id=disk,format=raw,snapshot=on,file="$cache/disk" \
		<>"$run/stdin" & # a stdin without end: at its end QEMU would drop the tty
	wait $! || status=$?
	((status != 124)) || exit 124
	[[ -s $run/share/status ]] || die "the VM ended before its command: $(tail -n 20 "$run/console.log")"
	exit "$(<"$run/share/status")"
}

case ${1-} in
build|run) "$@" ;;
*) sed -n '2,/^set/s/^# \{0,1\}//p' "$0" ;;
esac
