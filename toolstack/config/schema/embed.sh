#!/bin/sh
# embed.sh OUT NAME.rng...: the schemas as bytes in C, so that a program never lacks them.
set -eu

out=$1
shift
{
    printf '/* Made by embed.sh. */\n#include "schema.h"\n'
    for file; do
        name=schema_$(basename -- "$file" .rng)
        printf 'const unsigned char %s[] = {\n' "$name"
        od -An -v -tu1 -- "$file" | sed 's/ *\([0-9][0-9]*\)/\1,/g'
        printf '};\nconst unsigned int %s_len = sizeof(%s);\n' "$name" "$name"
    done
} >"$out"
