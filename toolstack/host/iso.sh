#!/bin/bash
# iso.sh BUNDLE OPTIONS FILE: writes a GRUB image for BIOS and UEFI that boots the core with the
# bundle by multiboot2.
set -eu
. "$(dirname -- "$0")/common.sh"

bundle=$1 options=$2 iso=$3
stage=$(mktemp -d "$BUILD/iso.XXXXXX")
trap 'rm -rf "$stage"' EXIT

mkdir -p "$stage/boot/grub"
cp "$BUILD/meson/hypervisor/hypervisor.elf" "$stage/boot/bulkhead.elf"
cp --reflink=auto "$bundle" "$stage/boot/bundle"
cat >"$stage/boot/grub/grub.cfg" <<END
set timeout=0
menuentry "Bulkhead" {
    multiboot2 /boot/bulkhead.elf $options
    module2 /boot/bundle
    boot
}
END
quietly iso grub-mkrescue -o "$iso" "$stage"
