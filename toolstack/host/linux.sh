#!/bin/bash
# Makes build/linux: initrd.img, the initramfs of a Linux driver domain (driverdom/linux), and
# firewall.img, one that is a router besides. Kernel and modules are the demo's, Debian's own.
set -eu
. "$(dirname -- "$0")/common.sh"
. "$HOST_DIR/initramfs.sh"

agent=$BUILD/meson/driverdom/linux/linux-backend
files=$ROOT/driverdom/linux

# Cards and disks that its own driver domains have, and one that they have not; what other domains
# serve, and files on it; then what serves guests.
modules=(
    e1000e igb virtio_pci virtio_net nvme virtio_blk ahci sd_mod
    xen_blkfront xen_netfront loop ext4 bridge xen-netback xen-blkback
)

# For a firewall: it is a guest of another driver domain, and has no hardware of its own.
firewall_modules=(
    xen_netfront af_packet bridge xen-netback nf_tables nft_ct nft_masq nft_chain_nat
)

# image NAME MODULE...: what both have, packed by the caller.
image()
{
    initramfs_begin "$stage"
    initramfs_modules "$stage" "$@"
    cp "$files/init" "$stage/init"
    cp "$files/interface" "$stage/bin/interface"
    strip -o "$stage/bin/linux-backend" "$agent"
}

finish()
{
    chmod 755 "$stage"/init "$stage"/bin/* "$stage"/sbin/*
    initramfs_pack "$stage" "$BUILD/linux/$1"
}

firewall()
{
    image "${firewall_modules[@]}"
    initramfs_programs "$stage" /usr/sbin/nft
    mv "$stage/bin/interface" "$stage/bin/port"
    cp "$files"/firewall/{start,interface} "$HOST_DIR/small/lease" "$stage/bin/"
    cp "$files/firewall/firewall.nft" "$stage/etc/"
    finish firewall.img
}

main()
{
    local key stage=$BUILD/linux/root

    quietly linux-backend ninja -C "$BUILD/meson" driverdom/linux/linux-backend
    key=$(initramfs_key "$0" "$agent" "$files"/{init,interface} "$files"/firewall/* \
        "$HOST_DIR/small/lease")
    stamp_fresh linux "$key" && [ -e "$BUILD/linux/firewall.img" ] && return
    mkdir -p "$BUILD/linux"
    image "${modules[@]}"
    finish initrd.img
    firewall
    stamp_write linux "$key"
}

main
