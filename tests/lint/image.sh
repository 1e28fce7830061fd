#!/bin/sh
# An image must have no segment that is writable and executable, no undefined
# symbol, and, when told "nofpu", no vector register anywhere in its text.
set -eu
elf=$1
if readelf -lW "$elf" | grep -E ' RWE '; then
    echo "writable and executable segment in $elf"
    exit 1
fi
if nm -u "$elf" | grep -v ' w '; then
    echo "undefined symbols in $elf"
    exit 1
fi
if [ "${2:-}" = nofpu ] && objdump -d "$elf" | grep -E '%[xyz]mm[0-9]'; then
    echo "vector instruction in $elf"
    exit 1
fi
