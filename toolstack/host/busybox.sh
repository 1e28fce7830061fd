#!/bin/bash
# Makes build/busybox/initrd.img: an initramfs of Debian's static busybox with a small init, for
# guests that need a shell and perhaps a disk. The kernel and its modules are the demo's.
set -eu
. "$(dirname -- "$0")/common.sh"

out=$BUILD/busybox/initrd.img

# The first line a guest says is its first in user space: tests and benchmarks wait for it.
init()
{
    cat <<'END'
#!/bin/busybox sh
/bin/busybox --install -s /bin
mount -t devtmpfs dev /dev
mount -t proc proc /proc
mount -t sysfs sys /sys
echo "busybox: up after $(cut -d' ' -f1 /proc/uptime) s"
# Those for hardware that is not here say so.
for module in /modules/*; do
    insmod "$module" 2>/dev/null
done
for word in $(cat /proc/cmdline); do
    case $word in
    after=*) command=${word#after=} ;;
    esac
done
# "after=poweroff" on the command line: do that instead of giving a shell.
[ -z "$command" ] || exec "$command" -f
while :; do
    setsid -c sh </dev/hvc0 >/dev/hvc0 2>&1
done
END
}

# What the kernel runs when the toolstack asks the guest to stop: there is no init to tell.
stopper()
{
    printf '#!/bin/busybox sh\nexec /bin/busybox %s -f\n' "$1"
}

main()
{
    local key stage

    key=$(hash_of "$0" /bin/busybox "$BUILD"/demo/modules/*)
    stamp_fresh busybox "$key" && [ -e "$out" ] && return
    stage=$BUILD/busybox/root
    rm -rf "$stage"
    mkdir -p "$stage"/{bin,sbin,dev,proc,sys,tmp}
    cp /bin/busybox "$stage/bin/busybox"
    cp -r "$BUILD/demo/modules" "$stage/modules"
    init >"$stage/init"
    stopper poweroff >"$stage/sbin/poweroff"
    stopper reboot >"$stage/sbin/reboot"
    chmod 755 "$stage"/init "$stage"/sbin/*
    find "$stage" -exec touch -h -d @0 {} +
    (cd "$stage" && find . | LC_ALL=C sort |
        cpio --quiet -o -H newc --reproducible --owner 0:0) | gzip -n9 >"$out"
    rm -rf "$stage"
    stamp_write busybox "$key"
}

main
