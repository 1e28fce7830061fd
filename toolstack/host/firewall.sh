#!/bin/bash
# Makes build/firewall, a folder for ./run: a guest behind a firewall that is a guest itself
# (docs/howto/firewall.md). Prints its path.
set -eu
. "$(dirname -- "$0")/common.sh"

main()
{
    local folder=$BUILD/firewall

    bash "$ROOT/run" --build-only
    bash "$HOST_DIR/linux.sh"
    mkdir -p "$folder"
    cp "$ROOT"/toolstack/demo/{net.xml,firewall/*.xml} "$folder/"
    ln -sf "$BUILD/demo/host/vmlinuz" "$folder/vmlinuz"
    ln -sf "$BUILD/linux/firewall.img" "$folder/firewall.img"
    ln -sf "$BUILD/busybox/net.img" "$folder/small.img"
    printf '%s\n' "$folder"
}

main
