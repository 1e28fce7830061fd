#!/bin/bash
# Makes build/linux/initrd.img: the initramfs of a Linux driver domain (driverdom/linux). Its kernel
# and modules are the demo's, Debian's own.
set -eu
. "$(dirname -- "$0")/common.sh"
. "$HOST_DIR/initramfs.sh"

out=$BUILD/linux/initrd.img
agent=$BUILD/meson/driverdom/linux/linux-backend
files=$ROOT/driverdom/linux

# Cards and disks that its own driver domains have, and one that they have not; then what serves
# guests.
modules=(
    e1000e igb virtio_pci virtio_net nvme virtio_blk ahci sd_mod
    bridge xen-netback xen-blkback
)

main()
{
    local key stage

    quietly linux-backend ninja -C "$BUILD/meson" driverdom/linux/linux-backend
    key=$(initramfs_key "$0" "$agent" "$files/init" "$files/interface")
    stamp_fresh linux "$key" && [ -e "$out" ] && return
    mkdir -p "$BUILD/linux"
    stage=$BUILD/linux/root
    initramfs_begin "$stage"
    initramfs_modules "$stage" "${modules[@]}"
    cp "$files/init" "$stage/init"
    cp "$files/interface" "$stage/bin/interface"
    strip -o "$stage/bin/linux-backend" "$agent"
    chmod 755 "$stage"/init "$stage"/bin/* "$stage"/sbin/*
    initramfs_pack "$stage" "$out"
    stamp_write linux "$key"
}

main
