#!/bin/bash
# kernel.sh FILE: prints the path of FILE's ELF image: FILE itself, or what a bzImage holds, unpacked
# once and kept under build/kernels by the content's hash. Debian's own programs unpack it.
set -eu -o pipefail
. "$(dirname -- "$0")/common.sh"

# A little-endian number in the kernel: offset, size in bytes.
field()
{
    od -An -v "-tu$2" -j "$1" -N "$2" -- "$file" | tr -d ' '
}

text()
{
    od -An -v -tx1 -j "$1" -N "$2" -- "$file" 2>/dev/null | tr -d ' \n'
}

# The setup header: "HdrS" and the boot sector's mark (Linux: Documentation/x86/boot.rst).
is_bzimage()
{
    # A file too short to have them is none.
    [ "$(text 514 4 || true)" = 48647253 ] && [ "$(text 510 2)" = 55aa ]
}

unpacker()
{
    case $1 in
    1f8b*) echo gzip -dc ;;
    fd377a585a00*) echo xz -dc --single-stream ;;
    28b52ffd*) echo zstd -dcq ;;
    02214c18*) echo lz4 -dcq ;;
    *) die "$file: compressed in a way that is not known here: use xz, lz4, zstd or gzip" ;;
    esac
}

# Only protocol 2.08 and newer say where the payload is.
payload()
{
    local sectors offset length program

    [ "$(field 518 2)" -ge $((0x208)) ] || die "$file: a bzImage of before Linux 2.6.24"
    sectors=$(field 497 1)
    [ "$sectors" -gt 0 ] || sectors=4
    offset=$(((sectors + 1) * 512 + $(field 584 4)))
    length=$(field 588 4)
    program=$(unpacker "$(text "$offset" 6)") || return
    # Linux puts the unpacked size after every payload; gzip has that in its own format.
    [ "$program" = 'gzip -dc' ] || length=$((length - 4))
    # shellcheck disable=SC2086
    head -c $((offset + length)) -- "$file" | tail -c "$length" | $program
}

main()
{
    local kept

    if ! is_bzimage; then
        printf '%s\n' "$file"
        return
    fi
    kept=$BUILD/kernels/$(hash_of "$file").elf
    if [ ! -e "$kept" ]; then
        mkdir -p "$BUILD/kernels"
        payload >"$kept.part" || die "$file: its payload does not unpack"
        [ "$(head -c4 "$kept.part" | od -An -tx1 | tr -d ' ')" = 7f454c46 ] ||
            die "$file: its payload is no ELF image"
        mv "$kept.part" "$kept"
    fi
    printf '%s\n' "$kept"
}

file=$1
main
