#!/bin/bash
# Makes the demo: build/demo/disk.img, a Debian 12 root file system on the first partition of a GPT
# disk, and build/demo/host, the folder that ./run boots: XML, and the kernel and initrd that
# Debian's own package put into that file system. build/demo/modules has the kernel's disk drivers,
# numbered in the order they need each other, for initramfs images without Debian's tools.
set -eu
. "$(dirname -- "$0")/common.sh"

demo=$BUILD/demo
root=$demo/root
disk=$demo/disk.img
size_mib=1536

packages=linux-image-amd64,initramfs-tools,zstd,systemd-sysv,udev,kmod,login,e2fsprogs,iproute2
packages=$packages,dbus,procps,less,util-linux-extra

# A guest with no screen, sound or radio needs no drivers for them, and nobody reads manuals here.
excludes=(
    '/lib/modules/*/kernel/drivers/gpu/*' '/lib/modules/*/kernel/drivers/media/*'
    '/lib/modules/*/kernel/drivers/net/wireless/*' '/lib/modules/*/kernel/drivers/infiniband/*'
    '/lib/modules/*/kernel/drivers/staging/*' '/lib/modules/*/kernel/sound/*'
    '/usr/share/doc/*' '/usr/share/man/*' '/usr/share/info/*' '/usr/share/locale/*'
)

# Runs inside mmdebstrap, on the new root.
settings()
{
    cat <<'END'
set -eu
cd "$1"
echo debian >etc/hostname
printf '127.0.0.1 localhost\n127.0.1.1 debian\n' >etc/hosts
echo 'LABEL=debian / ext4 errors=remount-ro 0 1' >etc/fstab
# Root logs in without a password, on the console, the only way in.
chroot . passwd -q -d root
echo 'Debian in Bulkhead: log in as root, no password.' >>etc/issue
rm -f etc/apt/sources.list etc/apt/sources.list.d/*
cat >etc/apt/sources.list.d/debian.sources <<'SOURCES'
Types: deb
URIs: http://deb.debian.org/debian
Suites: bookworm bookworm-updates
Components: main
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg

Types: deb
URIs: http://deb.debian.org/debian-security
Suites: bookworm-security
Components: main
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg
SOURCES
# The machine has an id already, or the first boot would go through every unit's presets.
chroot . systemd-machine-id-setup
# No second console, no chores by the clock.
for unit in getty@tty1.service getty-static.service apt-daily.timer apt-daily-upgrade.timer \
    dpkg-db-backup.timer fstrim.timer e2scrub_all.timer e2scrub_reap.service \
    systemd-pstore.service; do
    ln -sf /dev/null "etc/systemd/system/$unit"
done
touch etc/.updated var/.updated
END
}

install_system()
{
    local -a options=()
    local path

    for path in "${excludes[@]}"; do
        options+=(--dpkgopt="path-exclude=$path")
    done
    bash "$HOST_DIR/sources.sh"
    sed 's/^Types:.*/Types: deb/' "$BUILD/apt/debian.sources" >"$demo/image.sources"
    settings >"$demo/settings.sh"
    as_root rm -rf "$root"
    as_root mmdebstrap --variant=minbase --mode=root --format=directory --include="$packages" \
        "${options[@]}" --customize-hook="sh '$demo/settings.sh' \"\$1\"" \
        bookworm "$root" "$demo/image.sources"
}

# Partition 1 is all of the disk but the two tables; the file system is written in place.
make_disk()
{
    local blocks=$(((size_mib - 2) * 1024))

    rm -f "$disk.part"
    truncate -s "${size_mib}M" "$disk.part"
    printf 'label: gpt\nstart=1MiB, size=%dMiB, type=linux, name=debian\n' $((size_mib - 2)) |
        sfdisk -q "$disk.part"
    as_root mke2fs -q -t ext4 -L debian -d "$root" \
        -E offset=1048576,lazy_itable_init=0,lazy_journal_init=0 "$disk.part" "${blocks}k"
}

copy_kernel()
{
    local mine release module n=10

    mine=$(id -u):$(id -g)
    release=$(basename "$root"/lib/modules/*)
    as_root cp "$root/boot/vmlinuz-$release" "$demo/host/vmlinuz"
    as_root cp "$root/boot/initrd.img-$release" "$demo/host/initrd.img"
    rm -rf "$demo/modules"
    mkdir -p "$demo/modules"
    as_root chroot "$root" modprobe -S "$release" -a --show-depends xen_blkfront nvme virtio_blk |
        awk '$1 == "insmod" && !seen[$2]++ { print $2 }' |
        while read -r module; do
            as_root cp "$root$module" "$demo/modules/$n-${module##*/}"
            n=$((n + 1))
        done
    as_root chown "$mine" "$demo/host/vmlinuz" "$demo/host/initrd.img" "$disk.part" \
        "$demo"/modules/*
}

main()
{
    local key

    key=$(hash_of "$0")
    mkdir -p "$demo/host"
    cp -u "$ROOT"/toolstack/demo/*.xml "$demo/host/"
    stamp_fresh demo "$key" && [ -e "$disk" ] && return
    say 'making the demo: installing Debian 12 into a disk image (minutes, once)'
    quietly demo-install install_system
    quietly demo-disk make_disk
    copy_kernel
    as_root rm -rf "$root"
    # What the last demo's guest wrote is somebody's; one generation is kept.
    [ ! -e "$disk" ] || mv "$disk" "$disk.old"
    mv "$disk.part" "$disk"
    stamp_write demo "$key"
}

main
