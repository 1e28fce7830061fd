/* Reads a kernel image: every offset and size in it is a claim that is checked before use. */
#include "elf.h"

#include <elf.h>
#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include <abi/layout.h>
#include <abi/offer.h>
#include <abi/start.h>

/* Segments above this can never be in low RAM; it also keeps all sums far from overflow. */
#define ADDRESS_MAX 0x100000000ull

static const char truncated[] = "is truncated: copy it again";

/* The file as bytes with a length: nothing is read but through slice(). */
struct file {
    const uint8_t *bytes;
    uint64_t len;
};

/* The same program header for both sizes of ELF. */
struct header {
    uint32_t type;
    uint32_t flags;
    uint64_t offset;
    uint64_t gpa;
    uint64_t file_len;
    uint64_t len;
    uint64_t align;
};

/* Where the program headers are, from either size of ELF header. */
struct table {
    bool wide;
    uint64_t offset;
    unsigned count;
    unsigned entry_len;
};

static const uint8_t *slice(struct file file, uint64_t offset, uint64_t len)
{
    if (offset > file.len || len > file.len - offset)
        return NULL;
    return file.bytes + offset;
}

/* The setup header of a bzImage says "HdrS" at 0x202. */
static bool is_bzimage(struct file file)
{
    const uint8_t *magic = slice(file, 0x202, 4);

    return magic && memcmp(magic, "HdrS", 4) == 0;
}

static const char *read_table(struct file file, struct table *table)
{
    const uint8_t *ident = slice(file, 0, EI_NIDENT);
    uint16_t machine;

    if (!ident)
        return file.len == 0 ? "is empty: copy it again" : truncated;
    if (memcmp(ident, ELFMAG, SELFMAG) != 0)
        return is_bzimage(file)
                   ? "is a bzImage: the bundle needs the vmlinux inside it (./run unpacks it)"
                   : "is no ELF file: name a kernel built with CONFIG_PVH";
    if (ident[EI_DATA] != ELFDATA2LSB)
        return "is big-endian: name an x86-64 kernel";
    if (ident[EI_CLASS] == ELFCLASS64) {
        const uint8_t *at = slice(file, 0, sizeof(Elf64_Ehdr));
        Elf64_Ehdr e;

        if (!at)
            return truncated;
        memcpy(&e, at, sizeof(e));
        *table = (struct table){true, e.e_phoff, e.e_phnum, e.e_phentsize};
        machine = e.e_machine;
    } else if (ident[EI_CLASS] == ELFCLASS32) {
        const uint8_t *at = slice(file, 0, sizeof(Elf32_Ehdr));
        Elf32_Ehdr e;

        if (!at)
            return truncated;
        memcpy(&e, at, sizeof(e));
        *table = (struct table){false, e.e_phoff, e.e_phnum, e.e_phentsize};
        machine = e.e_machine;
    } else {
        return "is neither ELF32 nor ELF64: name an x86-64 kernel";
    }
    if (machine != EM_X86_64 && machine != EM_386)
        return "is for another processor: name an x86-64 kernel";
    if (table->entry_len != (table->wide ? sizeof(Elf64_Phdr) : sizeof(Elf32_Phdr)))
        return "has program headers of a wrong size: name a kernel image";
    if (!slice(file, table->offset, (uint64_t)table->count * table->entry_len))
        return truncated;
    return NULL;
}

/* The table was checked against the file's length as a whole. */
static struct header read_header(struct file file, const struct table *table, unsigned index)
{
    const uint8_t *at = file.bytes + table->offset + (uint64_t)index * table->entry_len;

    if (table->wide) {
        Elf64_Phdr p;

        memcpy(&p, at, sizeof(p));
        return (struct header){p.p_type,   p.p_flags, p.p_offset, p.p_paddr,
                               p.p_filesz, p.p_memsz, p.p_align};
    }
    Elf32_Phdr p;

    memcpy(&p, at, sizeof(p));
    return (struct header){p.p_type,   p.p_flags, p.p_offset, p.p_paddr,
                           p.p_filesz, p.p_memsz, p.p_align};
}

/* Keeps the segments in order of address and apart. */
static const char *add_segment(struct elf_image *image, const struct header *h)
{
    struct elf_segment *s = image->segments;
    unsigned at = image->segment_count;

    if (h->file_len > h->len)
        return "has a segment with more bytes in the file than in memory: name a kernel image";
    if (h->gpa >= ADDRESS_MAX || h->len > ADDRESS_MAX - h->gpa)
        return "has a segment above 4 GiB: link it lower";
    if (image->segment_count == ELF_SEGMENT_MAX)
        return "has more than 32 segments: name a kernel image";
    while (at > 0 && s[at - 1].gpa > h->gpa)
        at--;
    if (at > 0 && s[at - 1].gpa + s[at - 1].len > h->gpa)
        return "has segments that overlap: name a kernel image";
    if (at < image->segment_count && h->gpa + h->len > s[at].gpa)
        return "has segments that overlap: name a kernel image";
    memmove(s + at + 1, s + at, (image->segment_count - at) * sizeof(*s));
    s[at] = (struct elf_segment){h->gpa, h->offset, h->file_len, h->len,
                                 (h->flags & LAYOUT_IMAGE_SCRATCH) != 0};
    image->segment_count++;
    return NULL;
}

static uint64_t round_up(uint64_t v, uint64_t align)
{
    return (v + align - 1) & ~(align - 1);
}

/* A note by its name, NUL included, and its type; anything odd in the notes ends the search. */
static const uint8_t *find_note(struct file notes, uint64_t align, const char *name, uint32_t type,
                                uint32_t *len)
{
    uint64_t at = 0;

    if (align != 8)
        align = 4;
    for (;;) {
        const uint8_t *from = slice(notes, at, sizeof(Elf64_Nhdr));
        const uint8_t *its_name;
        const uint8_t *value;
        Elf64_Nhdr note;

        if (!from)
            return NULL;
        memcpy(&note, from, sizeof(note));
        its_name = slice(notes, at + sizeof(note), note.n_namesz);
        /* 32-bit sizes: these sums cannot overflow 64 bits. */
        at = round_up(at + sizeof(note) + note.n_namesz, align);
        value = slice(notes, at, note.n_descsz);
        at = round_up(at + note.n_descsz, align);
        if (!its_name || !value)
            return NULL;
        if (note.n_type != type || note.n_namesz != strlen(name) + 1 ||
            memcmp(its_name, name, note.n_namesz) != 0)
            continue;
        *len = note.n_descsz;
        return value;
    }
}

/* Xen's note with the 32-bit entry, which is an image's own; ours with what it offers. */
static bool read_notes(struct file file, struct file notes, uint64_t align, struct elf_image *image)
{
    uint32_t len;
    const uint8_t *value = find_note(notes, align, OFFER_NAME, OFFER_TYPE, &len);

    if (value && image->offer_len == 0) {
        image->offer = (uint64_t)(value - file.bytes);
        image->offer_len = len;
    }
    value = find_note(notes, align, "Xen", XEN_ELFNOTE_PHYS32_ENTRY, &len);
    if (!value || (len != 4 && len != 8))
        return false;
    memcpy(&image->entry, value, sizeof(image->entry));
    return true;
}

static const char *check_whole(struct elf_image *image, bool has_entry)
{
    const struct elf_segment *last;

    if (!has_entry)
        return "has no PVH note: build it with CONFIG_PVH";
    if (image->segment_count == 0)
        return "has nothing to load: name a kernel image";
    last = &image->segments[image->segment_count - 1];
    image->start = image->segments[0].gpa;
    image->end = last->gpa + last->len;
    for (unsigned i = 0; i < image->segment_count; i++) {
        const struct elf_segment *s = &image->segments[i];

        if (image->entry >= s->gpa && image->entry - s->gpa < s->file_len)
            return NULL;
    }
    return "has a PVH entry outside of its segments: build it again";
}

static const char *read_image(struct file file, struct elf_image *image)
{
    struct table table;
    bool has_entry = false;
    const char *why = read_table(file, &table);

    for (unsigned i = 0; !why && i < table.count; i++) {
        struct header h = read_header(file, &table, i);
        const uint8_t *at = slice(file, h.offset, h.file_len);

        if (h.type != PT_LOAD && h.type != PT_NOTE)
            continue;
        if (!at)
            return truncated;
        if (h.type == PT_LOAD && h.len > 0)
            why = add_segment(image, &h);
        else if (h.type == PT_NOTE && !has_entry)
            has_entry = read_notes(file, (struct file){at, h.file_len}, h.align, image);
    }
    return why ? why : check_whole(image, has_entry);
}

int elf_read(const void *bytes, size_t len, struct elf_image *image, const char **why)
{
    *image = (struct elf_image){0};
    *why = read_image((struct file){bytes, len}, image);
    return *why ? -ENOEXEC : 0;
}
