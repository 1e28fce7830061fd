#!/usr/bin/env python3
"""check_frames.py DUMP_FRAMES ELF...: what the unwinder says of every row of every function's frame
in images of ours is what readelf says."""

import re
import subprocess
import sys

NUMBERS = {'rax': 0, 'rdx': 1, 'rcx': 2, 'rbx': 3, 'rsi': 4, 'rdi': 5, 'rbp': 6, 'rsp': 7, 'ra': 16,
           **{f'r{i}': i for i in range(8, 16)}}
STACK, LENGTH = 0x10000000, 0x10000
START = {**{i: i for i in range(17)}, 7: STACK + LENGTH // 4, 6: STACK + LENGTH // 2}


def rows(elf):
    """Each row of readelf's: its address, and the registers that its caller would have."""
    text = subprocess.run(['readelf', '--debug-dump=frames-interp', elf], capture_output=True,
                          text=True, check=True).stdout
    columns, function = [], False
    for line in text.splitlines():
        kind = re.search(r' (CIE|FDE) ', line)
        row = re.match(r'([0-9a-f]{16}) (.*)$', line)
        if kind:
            function = kind.group(1) == 'FDE'
        elif 'LOC' in line:
            columns = line.split()[1:]
        elif row and function:
            yield int(row.group(1), 16), expected(columns, row.group(2).split())


def expected(columns, values):
    """The caller's registers, from one row; None where it needs an expression."""
    registers = dict(START)
    for column, value in zip(columns, values):
        at = re.match(r'(r\w+|c)([+-]\d+)$', value)
        if column == 'CFA' and not at:
            return None
        if column == 'CFA':
            registers[7] = START[NUMBERS[at.group(1)]] + int(at.group(2))
        elif at:
            registers[NUMBERS[column]] = registers[7] + int(at.group(2))
    return registers


def main():
    dump, *images = sys.argv[1:]
    wrong = checked = 0
    for elf in images:
        wanted = list(rows(elf))
        got = subprocess.run([dump, elf], input=''.join(f'{pc:x}\n' for pc, _ in wanted),
                             capture_output=True, text=True, check=True).stdout.splitlines()
        for (pc, registers), line in zip(wanted, got, strict=True):
            values = [int(word, 16) for word in line.split()][1:]
            # Functions that the linker threw away are left described, at no address.
            if pc < 0x200000 or registers is None and not values:
                continue
            checked += 1
            if values != [registers[i] for i in range(17)]:
                wrong += 1
                print(f'{elf}: {pc:#x}: {line}, expected {registers}')
    print(f'{checked} rows, {wrong} wrong')
    return wrong > 0 or checked == 0


sys.exit(main())
