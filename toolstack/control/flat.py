#!/usr/bin/env python3
"""flat.py ELF IMAGE: what the core loads as the control domain, worked out where it is built.

IMAGE is a header (struct boot_image in <abi/start.h>: magic, entry point of the Xen note, load
address) and the memory of all segments in one piece, zeroes included: a later life is written over
an earlier one."""

import struct
import sys

MAGIC = b'BHIMAGE1'
LOAD, NOTE = 1, 4
PHYS32_ENTRY = 18


def segments(elf):
    """(type, offset, physical address, length in the file, in memory) of each."""
    if elf[:5] != b'\x7fELF\x02' or struct.unpack_from('<H', elf, 18)[0] != 62:
        sys.exit(f'{sys.argv[1]}: no ELF image for x86-64')
    start, = struct.unpack_from('<Q', elf, 32)
    size, count = struct.unpack_from('<HH', elf, 54)
    for i in range(count):
        kind, _, offset, _, address, length, room = struct.unpack_from('<IIQQQQQ', elf,
                                                                       start + i * size)
        yield kind, offset, address, length, room


def entry_of(notes):
    """The value of Xen's note with the 32-bit entry point, if it is among them."""
    at = 0
    while at + 12 <= len(notes):
        name_len, len_, kind = struct.unpack_from('<III', notes, at)
        value = at + 12 + (name_len + 3 & ~3)
        if kind == PHYS32_ENTRY and notes[at + 12:at + 16] == b'Xen\0':
            return struct.unpack_from('<I', notes, value)[0]
        at = value + (len_ + 3 & ~3)
    return None


def main():
    with open(sys.argv[1], 'rb') as file:
        elf = file.read()
    found = list(segments(elf))
    loads = [s for s in found if s[0] == LOAD and s[4]]
    entries = [entry_of(elf[offset:offset + length]) for kind, offset, _, length, _ in found
               if kind == NOTE]
    entry = next((e for e in entries if e is not None), None)
    if entry is None or not loads:
        sys.exit(f'{sys.argv[1]}: no PVH entry note, or nothing to load')
    base = min(s[2] for s in loads)
    memory = bytearray(max(s[2] + s[4] for s in loads) - base)
    for _, offset, address, length, _ in loads:
        memory[address - base:address - base + length] = elf[offset:offset + length]
    with open(sys.argv[2], 'wb') as file:
        file.write(struct.pack('<8sIIQ', MAGIC, entry, 0, base) + memory)


main()
