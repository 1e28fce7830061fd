#!/bin/bash
# bundle.sh DIR: packs the host in DIR with the project's images into one cpio archive and prints
# its path. The same input gives the same bytes; nothing is packed twice.
set -eu
. "$(dirname -- "$0")/common.sh"

meson=$BUILD/meson

# Lines "NAME<tab>FILE": what stands in the bundle, and what it is made from.
own_members()
{
    local file

    find "$meson/driverdom" "$meson/stubdom" "$meson/toolstack" -name '*.elf' -type f |
        while read -r file; do
            printf 'bulkhead/%s\t%s\n' "${file##*/}" "$file"
        done
}

# The core is given the control domain as plain memory: its file's format is read here.
control_image()
{
    local elf=$meson/toolstack/control/control.elf img=$BUILD/control.img

    [ -e "$elf" ] || return 0
    if [ ! "$img" -nt "$elf" ]; then
        "$ROOT/toolstack/control/flat.py" "$elf" "$img.part"
        mv "$img.part" "$img"
    fi
    printf 'bulkhead/control.img\t%s\n' "$img"
}

# What the XML files name. A file that is missing is left out: the control domain knows the line
# that names it, and says so. The same holds for a host.xml that cannot be read at all.
host_members()
{
    local kind path file

    printf 'host.xml\t%s\n' "$dir/host.xml"
    { "$meson/toolstack/config/bulkhead-check" --files "$dir" 2>/dev/null || true; } |
        while read -r kind path; do
            case $path in
            /bulkhead/* | */../* | */.. | *$'\t'*) continue ;;
            esac
            file=$dir$path
            # A kernel that does not unpack goes in as it is, for the same reason.
            [ "$kind" != kernel ] || file=$(bash "$HOST_DIR/kernel.sh" "$file" </dev/null) ||
                file=$dir$path
            printf '%s\t%s\n' "${path#/}" "$file"
        done
}

pack()
{
    local stage=$out.stage name file

    rm -rf "$stage"
    mkdir -p "$stage"
    while IFS=$'\t' read -r name file; do
        mkdir -p "$stage/$(dirname -- "$name")"
        cp --reflink=auto -L -- "$file" "$stage/$name"
    done <<<"$members"
    find "$stage" -exec chmod u=rwX,go=rX {} + -exec touch -d @0 {} +
    (cd "$stage" && cut -f1 <<<"$members" |
        cpio --quiet -o -H newc --reproducible --owner 0:0) >"$out.part"
    rm -rf "$stage"
    mv "$out.part" "$out"
}

main()
{
    local key

    members=$({ control_image; own_members; host_members; } | LC_ALL=C sort -u)
    key=$(cut -f2 <<<"$members" | xargs -d '\n' stat -L -c '%n %s %i %.9Y' | hash_of "$0" -)
    out=$BUILD/bundles/$(printf '%s' "$dir" | sha256sum | cut -c1-12).cpio
    if ! stamp_fresh "${out##*/}" "$key" || [ ! -e "$out" ]; then
        mkdir -p "$BUILD/bundles"
        pack
        stamp_write "${out##*/}" "$key"
    fi
    printf '%s\n' "$out"
}

dir=$(cd -- "$1" && pwd)
main
