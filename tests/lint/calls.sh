#!/bin/sh
# calls.sh ROOT: hypercall.def and its page in docs/abi list the same calls.
# shellcheck disable=SC2016
set -eu
want=$(sed -n -E 's/^HC(_WORD)?\(([a-z_]+),.*/\2/p' "$1/libs/abi/abi/hypercall.def" | sort)
have=$(sed -n -E 's/^\| `([a-z_]+)` .*/\1/p' "$1/docs/abi/hypercalls.md" | sort)
[ -n "$want" ]
if [ "$want" != "$have" ]; then
    printf 'rows of hypercall.def (<) and of docs/abi/hypercalls.md (>) differ:\n'
    printf '%s\n' "$want" >"${TMPDIR:-/tmp}/calls.$$"
    printf '%s\n' "$have" | diff "${TMPDIR:-/tmp}/calls.$$" - || true
    rm -f "${TMPDIR:-/tmp}/calls.$$"
    exit 1
fi
