/* Puts the tiny image together: what a linker would, of bytes that a person wrote. */
#include "tiny.h"

#include <elf.h>
#include <string.h>

#define TEXT_LEN 0x80u

static const uint8_t text[TEXT_LEN] = {
    [TINY_OUTER] = 0x48,
    0x83,
    0xec,
    0x18,
    0xe8,
    0x17,
    0,
    0,
    0, /* call middle */
    [TINY_MIDDLE] = 0x55,
    0x48,
    0x89,
    0xe5,
    0x90,
    0x90,
    0x90,
    0x90,
    0xff,
    0xd0, /* call *%rax */
    [TINY_INNER] = 0x53,
    0x90,
    0x90,
    0x90,
    0x90,
    0x90,
    [TINY_BARE] = 0xe8,
    0xdb,
    0xff,
    0xff,
    0xff,
};

#define WORD(v) (v) & 0xff, (v) >> 8 & 0xff, (v) >> 16 & 0xff, (v) >> 24 & 0xff
#define AT(f)   WORD((unsigned)TINY_TEXT + (f)), WORD(0u)
#define LEN(n)  WORD(n), WORD(0u)

/* One CIE (version 1, code 1, data -8, return address 16; CFA = rsp + 8, rip at CFA - 8). */
static const uint8_t frames[] = {
    WORD(16u),
    WORD(0xffffffffu),
    1,
    0,
    1,
    0x78,
    16,
    0x0c,
    7,
    8,
    0x80 | 16,
    1,
    0,
    0,
    /* outer: after 4 bytes CFA offset 32 */
    WORD(24u),
    WORD(0u),
    AT(TINY_OUTER),
    LEN(0x20u),
    0x40 | 4,
    0x0e,
    32,
    0,
    /* middle: after 1 CFA offset 16, rbp at CFA - 16; after 3 more CFA register rbp */
    WORD(28u),
    WORD(0u),
    AT(TINY_MIDDLE),
    LEN(0x20u),
    0x40 | 1,
    0x0e,
    16,
    0x80 | 6,
    2,
    0x40 | 3,
    0x0d,
    6,
    /* inner: after 1 offset 16, rbx at CFA - 16; remember; after 3 offset 8, rbx as it was; after 1
     * back to what was remembered */
    WORD(32u),
    WORD(0u),
    AT(TINY_INNER),
    LEN(0x20u),
    0x40 | 1,
    0x0e,
    16,
    0x80 | 3,
    2,
    0x0a,
    0x40 | 3,
    0x0e,
    8,
    0xc0 | 3,
    0x40 | 1,
    0x0b,
};

static const char names[] = "\0outer\0middle\0inner\0bare\0.text\0.debug_frame";

static const Elf64_Sym symbols[] = {
    {0},
    {.st_name = 1, .st_info = STT_FUNC, .st_shndx = 1, .st_value = TINY_TEXT, .st_size = 0x20},
    {.st_name = 7,
     .st_info = STT_FUNC,
     .st_shndx = 1,
     .st_value = TINY_TEXT + TINY_MIDDLE,
     .st_size = 0x20},
    {.st_name = 14,
     .st_info = STT_FUNC,
     .st_shndx = 1,
     .st_value = TINY_TEXT + TINY_INNER,
     .st_size = 0x20},
    /* As a label of assembly is: without a size. */
    {.st_name = 20, .st_info = STT_NOTYPE, .st_shndx = 1, .st_value = TINY_TEXT + TINY_BARE},
};

static struct tiny {
    Elf64_Ehdr ehdr;
    Elf64_Shdr sections[5];
    uint8_t text[sizeof(text)];
    uint8_t frames[sizeof(frames)];
    char names[sizeof(names)];
    Elf64_Sym symbols[sizeof(symbols) / sizeof(symbols[0])];
} file;

#define SECTION(name_at, kind, field, address, linked)                                             \
    (Elf64_Shdr)                                                                                   \
    {                                                                                              \
        .sh_name = (name_at), .sh_type = (kind), .sh_addr = (address),                             \
        .sh_offset = offsetof(struct tiny, field), .sh_size = sizeof(file.field),                  \
        .sh_link = (linked)                                                                        \
    }

const uint8_t *tiny_image(size_t *len)
{
    file.ehdr = (Elf64_Ehdr){.e_ident = {0x7f, 'E', 'L', 'F', ELFCLASS64, ELFDATA2LSB, EV_CURRENT},
                             .e_machine = EM_X86_64,
                             .e_shoff = sizeof(file.ehdr),
                             .e_shentsize = sizeof(Elf64_Shdr),
                             .e_shnum = 5,
                             .e_shstrndx = 3};
    file.sections[1] = SECTION(25, SHT_PROGBITS, text, TINY_TEXT, 0);
    file.sections[2] = SECTION(31, SHT_PROGBITS, frames, 0, 0);
    file.sections[3] = SECTION(0, SHT_STRTAB, names, 0, 0);
    file.sections[4] = SECTION(0, SHT_SYMTAB, symbols, 0, 3);
    memcpy(file.text, text, sizeof(text));
    memcpy(file.frames, frames, sizeof(frames));
    memcpy(file.names, names, sizeof(names));
    memcpy(file.symbols, symbols, sizeof(symbols));
    *len = sizeof(file);
    return (const uint8_t *)&file;
}
