#!/bin/sh
# Every script of the tree passes shellcheck.
set -eu
cd "$1"
git ls-files -z | xargs -0 grep -lE '^#!/bin/(ba)?sh|shellcheck shell=' |
    xargs shellcheck -x -P SCRIPTDIR -P toolstack/host
