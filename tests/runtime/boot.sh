#!/bin/sh
# Boots the core with one program as the control domain; its lines are TAP.
# Usage: boot.sh CORE PROGRAM FLAT.PY
set -eu
command -v qemu-system-x86_64 >/dev/null && command -v cpio >/dev/null || exit 77
core=$1
program=$2
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
mkdir "$dir/bulkhead"
cp "$program" "$dir/bulkhead/control.elf"
"$3" "$program" "$dir/bulkhead/control.img"
(cd "$dir" && find bulkhead | cpio -o -H newc >bundle 2>/dev/null)
status=0
timeout 120 qemu-system-x86_64 -accel tcg -machine q35 -cpu EPYC -m 512 -nodefaults \
    -display none -no-reboot -serial stdio -device isa-debug-exit,iobase=0xf4,iosize=4 \
    -kernel "$core" -initrd "$dir/bundle" -append 'headless debug_exit=0xf4' \
    >"$dir/out" 2>"$dir/err" || status=$?
cat "$dir/out"
# 33: the host was powered off with status 0.
[ "$status" -eq 33 ] || {
    cat "$dir/err"
    echo "QEMU ended with $status"
    exit 1
}
grep -q '^\[control\] ok ' "$dir/out" && ! grep '^\[control\] not ok ' "$dir/out"
