#!/bin/sh
# Lets ACPICA's compiler (package acpica-tools) read the tables that a domain gets: it must find
# nothing to complain about, and compile the disassembled DSDT again. Skipped where it is missing.
set -eu
dump=$(readlink -f "$1")
command -v iasl >/dev/null || exit 77
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
"$dump"
for table in FACP APIC MCFG DSDT; do
    iasl -d "$table.dat" >"$table.log" 2>&1 || { cat "$table.log"; exit 1; }
    if grep -iE 'warning|error|invalid|incorrect|truncated' "$table.log" |
        grep -vE '0 (Errors|Warnings)'; then
        cat "$table.log"
        exit 1
    fi
done
iasl -p again DSDT.dsl >again.log 2>&1 || { cat again.log; exit 1; }
grep -q 'PNP0A08' DSDT.dsl
grep -q 'Memory32Fixed' DSDT.dsl
