#!/bin/bash
# Makes build/busybox: initramfs images of Debian's static busybox with a small init, for guests that
# need a shell. initrd.img has drivers for disks, net.img those for networks, too, and programs to
# try them. The kernel and its modules are the demo's.
set -eu
. "$(dirname -- "$0")/common.sh"
. "$HOST_DIR/initramfs.sh"

files=$HOST_DIR/small
disk_modules=(xen_blkfront nvme virtio_blk)
net_modules=(xen_netfront xen_blkfront e1000e virtio_net virtio_pci 8021q bridge af_packet)
net_programs=(/usr/bin/iperf3 /usr/sbin/ethtool)

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
    cp "$files/init" "$stage/init"
    if [ "${#programs[@]}" -gt 0 ]; then
        cp "$files/network" "$files/lease" "$stage/bin/"
        chmod 755 "$stage"/bin/*
    fi
    chmod 755 "$stage"/init "$stage"/sbin/*
    initramfs_pack "$stage" "$out"
}

main()
{
    local key

    key=$(initramfs_key "$0" "$files"/*)
    stamp_fresh busybox "$key" && [ -e "$BUILD/busybox/net.img" ] && return
    mkdir -p "$BUILD/busybox"
    image initrd.img -- "${disk_modules[@]}"
    image net.img "${net_programs[@]}" -- "${net_modules[@]}"
    stamp_write busybox "$key"
}

main
