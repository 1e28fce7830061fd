#!/bin/bash
# Makes the demo: build/demo/disk.img, a Debian 12 root file system on the first partition of a GPT
# disk, and build/demo/host, the folder that ./run boots: XML, and the kernel and initrd that
# Debian's own package put into that file system. build/demo/parts has what other initramfs images
# are made of (initramfs.sh): all of that kernel's modules, and some programs with their libraries.
set -eu
. "$(dirname -- "$0")/common.sh"

demo=$BUILD/demo
root=$demo/root
disk=$demo/disk.img
size_mib=1536

packages=linux-image-amd64,initramfs-tools,zstd,systemd-sysv,udev,kmod,login,e2fsprogs,iproute2
packages=$packages,dbus,procps,less,util-linux-extra
packages=$packages,systemd-resolved,iputils-ping,wget,busybox-static
packages=$packages,iperf3,fio,ethtool,nftables,xenstore-utils

# Copied for initramfs images.
programs=(
    /usr/bin/iperf3 /usr/sbin/ethtool /usr/sbin/nft /usr/sbin/bridge
    /usr/bin/xenstore-read /usr/bin/xenstore-write /usr/bin/xenstore-watch /usr/bin/xenstore-ls
)

# A guest with no screen, sound or radio needs no drivers for them, and nobody reads manuals here.
excludes=(
    '/lib/modules/*/kernel/drivers/gpu/*' '/lib/modules/*/kernel/drivers/media/*'
    '/lib/modules/*/kernel/drivers/net/wireless/*' '/lib/modules/*/kernel/drivers/infiniband/*'
    '/lib/modules/*/kernel/drivers/staging/*' '/lib/modules/*/kernel/sound/*'
    '/usr/share/doc/*' '/usr/share/man/*' '/usr/share/info/*' '/usr/share/locale/*'
)

# Runs inside mmdebstrap, before there is any package.
first_settings()
{
    cat <<'END'
mkdir -p "$1/etc/initramfs-tools/conf.d"
# It would take the place of smaller programs in the initrd.
echo BUSYBOX=n >"$1/etc/initramfs-tools/conf.d/busybox"
END
}

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
network "$1"
touch etc/.updated var/.updated
END
}

# Each card asks for an address; who comes to port 80 gets a page.
network_settings()
{
    cat <<'END'
network()
{
    cat >"$1/etc/systemd/network/80-dhcp.network" <<'NETWORK'
[Match]
Type=ether
Kind=!*

[Network]
DHCP=yes
NETWORK
    cat >"$1/etc/systemd/system/pages.service" <<'UNIT'
[Unit]
Description=Web pages from /var/www

[Service]
ExecStart=/bin/busybox httpd -f -p 80 -u nobody -h /var/www

[Install]
WantedBy=multi-user.target
UNIT
    mkdir -p "$1/var/www"
    cat >"$1/var/www/index.html" <<'PAGE'
<!DOCTYPE html>
<title>debian</title>
<h1>Debian in Bulkhead</h1>
<p>This page comes from a guest's disk and through a guest's network interface, each served by an
unprivileged driver domain.</p>
PAGE
    chroot "$1" systemctl -q enable systemd-networkd pages
    # Nothing here starts only when the network is up, and a host without one would wait for it.
    chroot "$1" systemctl -q mask systemd-networkd-wait-online
}
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
    first_settings >"$demo/first.sh"
    { network_settings; settings; } >"$demo/settings.sh"
    as_root rm -rf "$root"
    as_root mmdebstrap --variant=minbase --mode=root --format=directory --include="$packages" \
        "${options[@]}" --setup-hook="sh '$demo/first.sh' \"\$1\"" \
        --customize-hook="sh '$demo/settings.sh' \"\$1\"" \
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
    local release

    release=$(basename "$root"/lib/modules/*)
    as_root cp "$root/boot/vmlinuz-$release" "$demo/host/vmlinuz"
    as_root cp "$root/boot/initrd.img-$release" "$demo/host/initrd.img"
    as_root chown "$mine" "$demo/host/vmlinuz" "$demo/host/initrd.img" "$disk.part"
}

# Each program lies where it was, and so does each library it is linked with; needs/NAME lists them.
copy_parts()
{
    local program file

    as_root rm -rf "$demo/parts"
    mkdir -p "$demo"/parts/{modules/lib,programs,needs}
    as_root cp -r "$root/lib/modules" "$demo/parts/modules/lib/"
    for program in "${programs[@]}"; do
        {
            printf '%s\n' "$program"
            as_root chroot "$root" ldd "$program" | sed -n -E 's#^[^/]*(/[^ ]+) \(0x.*#\1#p'
        } >"$demo/parts/needs/${program##*/}"
    done
    sort -u "$demo"/parts/needs/* | while read -r file; do
        as_root install -D -m 755 "$root$file" "$demo/parts/programs$file"
    done
    as_root chown -R "$mine" "$demo/parts"
}

main()
{
    local key mine

    mine=$(id -u):$(id -g)
    key=$(hash_of "$0")
    mkdir -p "$demo/host"
    cp -u "$ROOT"/toolstack/demo/*.xml "$demo/host/"
    ln -sf ../../busybox/net.img "$demo/host/small.img"
    stamp_fresh demo "$key" && [ -e "$disk" ] && return
    say 'making the demo: installing Debian 12 into a disk image (minutes, once)'
    quietly demo-install install_system
    quietly demo-disk make_disk
    copy_kernel
    quietly demo-parts copy_parts
    as_root rm -rf "$root"
    # What the last demo's guest wrote is somebody's; one generation is kept.
    [ ! -e "$disk" ] || mv "$disk" "$disk.old"
    mv "$disk.part" "$disk"
    stamp_write demo "$key"
}

main
