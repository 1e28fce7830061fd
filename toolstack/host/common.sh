# What every host script starts with: where things are, how to complain, what is up to date.
# Sourced, never run. A script that sources it has set -eu.
# shellcheck shell=bash

HOST_DIR=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)
ROOT=$(cd -- "$HOST_DIR/../.." && pwd)
BUILD=$ROOT/build
# sbin is not in an ordinary user's PATH, and sfdisk and mke2fs live there.
PATH=$PATH:/usr/sbin:/sbin

say()
{
    printf '%s\n' "$*" >&2
}

die()
{
    printf '%s: %s\n' "${0##*/}" "$*" >&2
    exit 1
}

# One hash over the named files, their names left out.
hash_of()
{
    cat -- "$@" | sha256sum | cut -c1-32
}

# stamp_fresh NAME KEY: has NAME been made for this KEY?
stamp_fresh()
{
    [ "$(cat "$BUILD/stamps/$1" 2>/dev/null)" = "$2" ]
}

stamp_write()
{
    mkdir -p "$BUILD/stamps"
    printf '%s\n' "$2" >"$BUILD/stamps/$1"
}

# Runs a long step quietly; what it said is shown only if it fails.
quietly()
{
    local log=$BUILD/logs/$1.log

    shift
    mkdir -p "$BUILD/logs"
    # In the background, because errexit is off inside a function that an "if" calls.
    "$@" >"$log" 2>&1 </dev/null &
    if ! wait $!; then
        tail -n 30 "$log" >&2
        die "this failed: $* (all of it: $log)"
    fi
}

as_root()
{
    if [ "$(id -u)" = 0 ]; then
        "$@"
    else
        sudo -- "$@"
    fi
}
