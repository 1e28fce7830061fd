/* Reads the sections of an image: every offset and size in it is checked before use. */
#include "image.h"

#include <elf.h>
#include <string.h>

/* A part of a file; bytes NULL when it is not all there. */
static struct image_part part(struct image_part file, uint64_t offset, uint64_t len)
{
    if (offset > file.len || len > file.len - offset)
        return (struct image_part){0};
    return (struct image_part){file.bytes + offset, (size_t)len};
}

static bool read_section(struct image_part file, const Elf64_Ehdr *e, unsigned index,
                         Elf64_Shdr *section)
{
    struct image_part at =
        index < e->e_shnum && e->e_shoff < file.len
            ? part(file, e->e_shoff + (uint64_t)index * sizeof(*section), sizeof(*section))
            : (struct image_part){0};

    if (!at.bytes)
        return false;
    memcpy(section, at.bytes, sizeof(*section));
    return true;
}

static bool is_named(struct image_part names, uint32_t offset, const char *name)
{
    struct image_part at = part(names, offset, strlen(name) + 1);

    return at.bytes && memcmp(at.bytes, name, at.len) == 0;
}

static void take_section(struct image *image, struct image_part file, const Elf64_Ehdr *e,
                         const Elf64_Shdr *s, struct image_part names)
{
    struct image_part content = part(file, s->sh_offset, s->sh_size);
    Elf64_Shdr strings;

    if (s->sh_type == SHT_SYMTAB && read_section(file, e, s->sh_link, &strings)) {
        image->symbols = content;
        image->names = part(file, strings.sh_offset, strings.sh_size);
    } else if (s->sh_type == SHT_PROGBITS && is_named(names, s->sh_name, ".debug_frame")) {
        image->frames = content;
    } else if (s->sh_type == SHT_PROGBITS && is_named(names, s->sh_name, ".text")) {
        image->text = content;
        image->text_start = s->sh_addr;
    }
}

bool image_open(struct image *image, const void *bytes, size_t len)
{
    struct image_part file = {bytes, len};
    struct image_part at = part(file, 0, sizeof(Elf64_Ehdr));
    struct image_part names;
    Elf64_Ehdr e;
    Elf64_Shdr s;

    *image = (struct image){0};
    if (!at.bytes)
        return false;
    memcpy(&e, at.bytes, sizeof(e));
    if (memcmp(e.e_ident, ELFMAG, SELFMAG) != 0 || e.e_ident[EI_CLASS] != ELFCLASS64 ||
        e.e_ident[EI_DATA] != ELFDATA2LSB || e.e_shentsize != sizeof(Elf64_Shdr) ||
        !read_section(file, &e, e.e_shstrndx, &s))
        return false;
    names = part(file, s.sh_offset, s.sh_size);
    for (unsigned i = 0; i < e.e_shnum && read_section(file, &e, i, &s); i++)
        take_section(image, file, &e, &s, names);
    return true;
}

bool image_is_code(const struct image *image, uint64_t address)
{
    return address - image->text_start < image->text.len;
}

/*
 * The last bytes of a near call (AMD64 Architecture Programmer's Manual, volume 3):
 * E8 with 32 bits, or FF /2 with an operand of up to six bytes.
 */
bool image_follows_call(const struct image *image, uint64_t address)
{
    uint64_t at = address - image->text_start;
    const uint8_t *text = image->text.bytes;

    if (at > image->text.len)
        return false;
    if (at >= 5 && text[at - 5] == 0xe8)
        return true;
    for (uint64_t len = 2; len <= 7 && len <= at; len++)
        if (text[at - len] == 0xff && (text[at - len + 1] >> 3 & 7) == 2)
            return true;
    return false;
}

static const char *name_at(const struct image *image, uint32_t offset)
{
    struct image_part names = image->names;

    if (offset >= names.len || !memchr(names.bytes + offset, 0, names.len - offset))
        return NULL;
    return (const char *)names.bytes + offset;
}

/* Labels of assembly have no size: they reach up to the next symbol. */
static bool is_nearer(const Elf64_Sym *s, uint64_t address, uint64_t best)
{
    unsigned type = ELF64_ST_TYPE(s->st_info);

    return (type == STT_FUNC || type == STT_NOTYPE) && s->st_shndx != SHN_UNDEF &&
           s->st_shndx != SHN_ABS && s->st_value <= address && s->st_value >= best &&
           (s->st_size == 0 || address - s->st_value < s->st_size);
}

const char *image_function(const struct image *image, uint64_t address, uint64_t *offset)
{
    const char *best = NULL;
    uint64_t start = 0;
    Elf64_Sym s;

    if (!image_is_code(image, address))
        return NULL;
    for (size_t i = 0; (i + 1) * sizeof(s) <= image->symbols.len; i++) {
        const char *name;

        memcpy(&s, image->symbols.bytes + i * sizeof(s), sizeof(s));
        if (!is_nearer(&s, address, start) || (name = name_at(image, s.st_name)) == NULL || !*name)
            continue;
        best = name;
        start = s.st_value;
    }
    *offset = address - start;
    return best;
}

bool image_follows_call_of(const struct image *image, uint64_t address, uint64_t callee)
{
    uint64_t at = address - image->text_start;
    const char *wanted;
    const char *got;
    uint64_t offset;
    int32_t distance;

    if (at > image->text.len || at < 5 || image->text.bytes[at - 5] != 0xe8)
        return false;
    memcpy(&distance, image->text.bytes + at - sizeof(distance), sizeof(distance));
    got = image_function(image, address + (uint64_t)(int64_t)distance, &offset);
    wanted = image_function(image, callee, &offset);
    return wanted && got == wanted;
}
