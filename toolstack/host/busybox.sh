#!/bin/bash
# Makes build/busybox: initramfs images of Debian's static busybox with a small init, for guests that
# need a shell. initrd.img has drivers for disks, net.img those for networks, too, and programs to
# try them. The kernel and its modules are the demo's.
set -eu
. "$(dirname -- "$0")/common.sh"
. "$HOST_DIR/initramfs.sh"

disk_modules=(xen_blkfront nvme virtio_blk)
net_modules=(xen_netfront xen_blkfront e1000e virtio_net virtio_pci 8021q bridge af_packet)
net_programs=(/usr/bin/iperf3 /usr/sbin/ethtool)

# The first line a guest says is its first in user space: tests and benchmarks wait for it.
init()
{
    cat <<'END'
#!/bin/busybox sh
/bin/busybox --install -s /bin
export PATH=/bin:/sbin:/usr/bin:/usr/sbin
mount -t devtmpfs dev /dev
mount -t proc proc /proc
mount -t sysfs sys /sys
echo "busybox: up after $(cut -d' ' -f1 /proc/uptime) s"
[ ! -x /bin/network ] || uevent network </dev/null &
# Those for hardware that is not here say so.
for module in /modules/*; do
    insmod "$module" 2>/dev/null
done
[ ! -x /bin/network ] || network
for word in $(cat /proc/cmdline); do
    case $word in
    after=*) command=${word#after=} ;;
    esac
done
# "after=poweroff" on the command line: do that instead of giving a shell.
[ -z "$command" ] || exec "$command" -f
terminal=/dev/$(sed 's/.* //' /sys/class/tty/console/active)
while :; do
    setsid -c sh <"$terminal" >"$terminal" 2>&1
done
END
}

# Runs for each device the kernel tells of, and once for those that were there before. "net0=dhcp" on
# the command line is the setting of the first interface, "net1=192.0.2.1/24" that of the second,
# "net1=up" only switches it on. What is not named there stays off.
network()
{
    cat <<'END'
#!/bin/busybox sh
# The number in the host's XML, or for other cards the kernel's own.
number()
{
    local device

    device=$(readlink -f "/sys/class/net/$1/device")
    case $device in
    */vif-*) echo "${device##*-}" ;;
    *) echo "${1#eth}" ;;
    esac
}

interface()
{
    local number setting

    [ -e "/sys/class/net/$1/device" ] || return
    number=$(number "$1")
    setting=$(tr ' ' '\n' </proc/cmdline | sed -n "s/^net$number=//p")
    # Whoever makes the folder does it.
    [ -n "$setting" ] && mkdir "/run/net$number" 2>/dev/null || return
    ip link set "$1" up
    case $setting in
    dhcp) udhcpc -b -s /bin/lease -i "$1" >/dev/null 2>&1 & ;;
    up) ;;
    *) ip address add "$setting" dev "$1" && echo "busybox: net$number ${setting%/*}" ;;
    esac
}

if [ -z "$ACTION" ]; then
    ip link set lo up
    for path in /sys/class/net/*; do
        interface "${path##*/}"
    done
elif [ "$ACTION $SUBSYSTEM" = 'add net' ]; then
    interface "$INTERFACE"
elif [ "$ACTION $SUBSYSTEM" = 'remove net' ]; then
    rm -rf /run/net*
fi >/dev/console 2>&1
END
}

# What udhcpc runs when it has an address, or has one no more.
lease()
{
    cat <<'END'
#!/bin/busybox sh
case $1 in
deconfig) ip address flush dev "$interface" ;;
bound | renew)
    ip address replace "$ip/$mask" dev "$interface"
    [ -z "$router" ] || ip route replace default via "${router%% *}" dev "$interface"
    for server in $dns; do
        echo "nameserver $server"
    done >/etc/resolv.conf
    [ "$1" = renew ] || echo "busybox: $interface $ip" >/dev/console
    ;;
esac
END
}

# image NAME PROGRAM... -- MODULE...
image()
{
    local out=$BUILD/busybox/$1 stage=$BUILD/busybox/$1.root
    local -a programs=()

    shift
    initramfs_begin "$stage"
    while [ "$1" != -- ]; do
        programs+=("$1")
        shift
    done
    initramfs_programs "$stage" "${programs[@]}"
    initramfs_modules "$stage" "${@:2}"
    init >"$stage/init"
    if [ "${#programs[@]}" -gt 0 ]; then
        network >"$stage/bin/network"
        lease >"$stage/bin/lease"
        chmod 755 "$stage"/bin/*
    fi
    chmod 755 "$stage"/init "$stage"/sbin/*
    initramfs_pack "$stage" "$out"
}

main()
{
    local key

    key=$(initramfs_key "$0")
    stamp_fresh busybox "$key" && [ -e "$BUILD/busybox/net.img" ] && return
    mkdir -p "$BUILD/busybox"
    image initrd.img -- "${disk_modules[@]}"
    image net.img "${net_programs[@]}" -- "${net_modules[@]}"
    stamp_write busybox "$key"
}

main
