#!/bin/bash
# Installs from Debian's packages what building, running and testing need; silent when all is there.
set -eu
. "$(dirname -- "$0")/common.sh"

packages=(
    # compilers and the build
    gcc libc6-dev binutils meson ninja-build cmake make dpkg-dev pkg-config
    # the guest ABI's headers, and libraries of host tools
    libxen-dev musl-tools libxml2-dev libyajl-dev
    # the machine it runs on, and its boot media
    qemu-system-x86 qemu-utils seabios ovmf grub-common grub-pc-bin grub-efi-amd64-bin xorriso mtools
    # kernels and disk images
    xz-utils zstd lz4 cpio mmdebstrap e2fsprogs fdisk kmod busybox-static
    # tests
    python3 iperf3 spin clang clang-format clang-tidy libclang-rt-14-dev cppcheck shellcheck libxml2-utils libvirt0
)

missing()
{
    local name

    for name in "${packages[@]}"; do
        [ "$(dpkg-query -W -f '${db:Status-Status}' "$name" 2>/dev/null)" = installed ] ||
            printf '%s\n' "$name"
    done
}

main()
{
    local key
    local -a absent

    key=$(hash_of "$0")
    stamp_fresh packages "$key" && return
    mapfile -t absent < <(missing)
    if [ "${#absent[@]}" -gt 0 ]; then
        command -v apt-get >/dev/null || die "Debian 12 is needed (no apt-get here)"
        [ "$(id -u)" = 0 ] || command -v sudo >/dev/null ||
            die "these packages are missing, run this as root or install sudo: ${absent[*]}"
        say "installing from Debian: ${absent[*]}"
        quietly apt-update as_root apt-get -q update
        quietly apt-install as_root env DEBIAN_FRONTEND=noninteractive \
            apt-get -q -y --no-install-recommends install "${absent[@]}"
    fi
    stamp_write packages "$key"
}

main
