#!/bin/sh
# test_bulkhead_check.sh PROGRAM CASES: the program's options, output and exit status.
set -u

program=$1
cases=$2
count=0

# expect STATUS OUTPUT NAME ARGUMENT...: OUTPUT is a shell pattern for both streams together.
expect()
{
    status=$1 pattern=$2 name=$3
    shift 3
    count=$((count + 1))
    out=$("$program" --images "$cases/images" "$@" 2>&1)
    got=$?
    # shellcheck disable=SC2254
    case $got$out in
    $status$pattern) echo "ok $count - $name" ;;
    *) printf 'not ok %d - %s\n# status %d: %s\n' "$count" "$name" "$got" "$out" ;;
    esac
}

expect 0 '' 'a good host' "$cases/sets/good"
expect 1 '/b.xml:2: name *' 'what is wrong is said' "$cases/sets/names"
expect 0 '' 'memory that suffices' --memory 96 "$cases/sets/good"
expect 1 '/small.xml:3: 32 MiB are more than the 31 MiB*' 'too little' --memory 95 "$cases/sets/good"
expect 1 '/block.xml:9: no IOMMU *' 'no IOMMU' "$cases/sets/iommu-present"
expect 0 '' 'an IOMMU' --iommu "$cases/sets/iommu-present"
expect 0 'xml /host.xml
xml /debian.xml
xml /block.xml
xml /small.xml
kernel /vmlinuz
kernel /bulkhead/block.elf
kernel /vmlinuz' 'the files of a host' --files "$cases/sets/good"
expect 0 'host.xml:6: no file*xml /e.xml*' 'missing files are left out' --files "$cases/sets/files"
expect 1 'host.xml:2: *' 'an unusable host.xml' --files "$cases/sets/host-bad"
expect 1 'host.xml:1: there is no such file*' 'no host.xml' --files "$cases/sets/host-missing"
expect 1 '*/vmlinuz: is no folder*' 'no folder' "$cases/sets/good/vmlinuz"
expect 2 'usage: *' 'no folder named' --files
expect 2 'usage: *' 'two folders' "$cases/sets/good" "$cases/sets/good"
expect 2 'usage: *' 'a number that is none' --memory 1G "$cases/sets/good"
expect 2 '*usage: *' 'an unknown option' --fix "$cases/sets/good"
expect 0 'usage: *' 'help' --help
echo "1..$count"
