# What initramfs images are put together from: busybox, kernel modules, programs of Debian's.
# Sourced, never run; the parts are what debian.sh left in build/demo/parts.
# shellcheck shell=bash

PARTS=$BUILD/demo/parts

# A hash of all that goes into an image besides the caller's own text; the parts come with the kernel.
initramfs_key()
{
    hash_of /bin/busybox "$BUILD/demo/host/vmlinuz" "${BASH_SOURCE[0]}" "$@"
}

# initramfs_begin STAGE: an empty root with busybox in it, and with what the kernel runs when the
# toolstack asks for an end: there is no init to tell.
initramfs_begin()
{
    local name

    rm -rf "$1"
    mkdir -p "$1"/{bin,sbin,dev,proc,sys,tmp,run,etc,modules}
    cp /bin/busybox "$1/bin/busybox"
    for name in poweroff reboot; do
        printf '#!/bin/busybox sh\nexec /bin/busybox %s -f\n' "$name" >"$1/sbin/$name"
    done
}

# initramfs_modules STAGE MODULE...: the modules and what they need, numbered in the order in which
# they are to be loaded.
initramfs_modules()
{
    local stage=$1 release file n=100

    shift
    release=$(basename "$PARTS"/modules/lib/modules/*)
    modprobe -d "$PARTS/modules" -S "$release" -a --show-depends "$@" |
        awk '$1 == "insmod" && !seen[$2]++ { print $2 }' |
        while read -r file; do
            cp "$file" "$stage/modules/$n-${file##*/}"
            n=$((n + 1))
        done
}

# initramfs_programs STAGE PROGRAM...: programs by their paths in Debian, with their libraries.
initramfs_programs()
{
    local stage=$1 program file

    shift
    for program in "$@"; do
        while read -r file; do
            mkdir -p "$stage${file%/*}"
            cp "$PARTS/programs$file" "$stage$file"
        done <"$PARTS/needs/${program##*/}"
    done
}

# initramfs_pack STAGE FILE: the same content gives the same bytes.
initramfs_pack()
{
    find "$1" -exec touch -h -d @0 {} +
    (cd "$1" && find . | LC_ALL=C sort |
        cpio --quiet -o -H newc --reproducible --owner 0:0) | gzip -n9 >"$2.part"
    rm -rf "$1"
    mv "$2.part" "$2"
}
