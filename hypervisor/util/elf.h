/* ELF64: the few structures that the core reads (System V ABI, chapters 4 and 5). */
#ifndef UTIL_ELF_H
#define UTIL_ELF_H

#include <stdint.h>

#define ELF_MAGIC          0x464c457fu /* 0x7f 'E' 'L' 'F', little endian */
#define ELF_CLASS64        2
#define ELF_MACHINE_X86_64 62
#define ELF_LOAD           1
#define ELF_NOTE           4

struct elf_header {
    uint32_t magic;
    uint8_t class, data, version8, osabi;
    uint8_t pad[8];
    uint16_t type, machine;
    uint32_t version;
    uint64_t entry, phoff, shoff;
    uint32_t flags;
    uint16_t ehsize, phentsize, phnum, shentsize, shnum, shstrndx;
};

struct elf_segment {
    uint32_t type, flags;
    uint64_t offset, vaddr, paddr, filesz, memsz, align;
};

struct elf_note {
    uint32_t namesz, descsz, type;
};

_Static_assert(sizeof(struct elf_header) == 64, "header");
_Static_assert(sizeof(struct elf_segment) == 56, "segment");

#endif
