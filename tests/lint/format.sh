#!/bin/sh
# Every C file is as clang-format with the tree's settings would write it.
set -eu
cd "$1"
git ls-files -z '*.c' '*.h' | xargs -0 clang-format --dry-run -Werror
