#!/bin/bash
# Builds the core, the images of our domains and the host tools into build/meson; no tests.
set -eu
. "$(dirname -- "$0")/common.sh"

meson=$BUILD/meson

configure()
{
    local key

    key=$(hash_of "$ROOT/meson_options.txt" "$0")
    stamp_fresh meson "$key" && [ -e "$meson/build.ninja" ] && return
    rm -rf "$meson"
    quietly meson-setup meson setup "$meson" "$ROOT" -Dmusl_libs="$BUILD/musl-libs"
    stamp_write meson "$key"
}

# Every image is named *.elf, so a new one needs no line here; the tool is all else ./run needs.
targets()
{
    ninja -C "$meson" -t targets all |
        sed -n -E 's#^((hypervisor|driverdom|stubdom|toolstack)/[^ ]*(\.elf|/bulkhead-check)): .*#\1#p'
}

main()
{
    local -a wanted

    configure
    # First the build files themselves: they may name new targets.
    quietly ninja-files ninja -C "$meson" build.ninja
    mapfile -t wanted < <(targets)
    [ "${#wanted[@]}" -gt 0 ] || die 'the build knows no images'
    quietly ninja ninja -C "$meson" "${wanted[@]}"
}

main
