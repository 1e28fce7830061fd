/* Kernel images, good and broken: what is loaded where, and what is said about the rest. */
#include "elf.h"

#include <elf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <abi/layout.h>
#include <abi/start.h>
#include <check.h>

/* A small vmlinux: one header table, a note, two segments. */
struct sample {
    Elf64_Ehdr ehdr;
    Elf64_Phdr phdr[3];
    struct {
        Elf64_Nhdr nhdr;
        char name[4];
        uint64_t entry;
    } note;
    uint8_t text[32];
};

static struct sample sample_make(void)
{
    struct sample s = {
        .ehdr = {.e_ident = {0x7f, 'E', 'L', 'F', ELFCLASS64, ELFDATA2LSB, EV_CURRENT},
                 .e_type = ET_EXEC,
                 .e_machine = EM_X86_64,
                 .e_phoff = offsetof(struct sample, phdr),
                 .e_phentsize = sizeof(Elf64_Phdr),
                 .e_phnum = 3},
        .phdr = {{.p_type = PT_LOAD,
                  .p_offset = offsetof(struct sample, text),
                  .p_paddr = 0x1000000,
                  .p_vaddr = 0xffffffff81000000,
                  .p_filesz = 16,
                  .p_memsz = 4096},
                 {.p_type = PT_LOAD,
                  .p_offset = offsetof(struct sample, text) + 16,
                  .p_paddr = 0x200000,
                  .p_filesz = 16,
                  .p_memsz = 16},
                 {.p_type = PT_NOTE,
                  .p_offset = offsetof(struct sample, note),
                  .p_filesz = sizeof(s.note),
                  .p_memsz = sizeof(s.note),
                  .p_align = 4}},
        .note = {.nhdr = {4, 8, XEN_ELFNOTE_PHYS32_ENTRY}, .name = "Xen", .entry = 0x1000008},
    };

    return s;
}

/* The reason; "" if the image is good. From memory of its exact size, for the sanitizer. */
static const char *read_exact(const void *bytes, size_t len, struct elf_image *image)
{
    uint8_t *copy = malloc(len ? len : 1);
    const char *why;
    int rc;

    if (!copy)
        abort();
    memcpy(copy, bytes, len);
    rc = elf_read(copy, len, image, &why);
    free(copy);
    EXPECT((rc == 0) == (why == NULL));
    EXPECT(rc == 0 || rc == -ENOEXEC);
    return why ? why : "";
}

static bool says(const struct sample *s, const char *what)
{
    struct elf_image image;

    return strstr(read_exact(s, sizeof(*s), &image), what) != NULL;
}

TEST(good_image)
{
    struct sample s = sample_make();
    struct elf_image image;

    s.phdr[0].p_flags = PF_R | PF_W | LAYOUT_IMAGE_SCRATCH;
    EXPECT(read_exact(&s, sizeof(s), &image)[0] == 0);
    EXPECT(image.entry == 0x1000008);
    EXPECT(image.segment_count == 2);
    EXPECT(image.start == 0x200000 && image.end == 0x1001000);
    EXPECT(image.segments[0].gpa == 0x200000 && image.segments[0].len == 16);
    EXPECT(image.segments[1].gpa == 0x1000000 && image.segments[1].file_len == 16);
    EXPECT(image.segments[1].len == 4096);
    EXPECT(image.segments[1].scratch && !image.segments[0].scratch);
    EXPECT(image.segments[1].offset == offsetof(struct sample, text));
}

TEST(every_truncation_is_refused)
{
    struct sample s = sample_make();
    struct elf_image image;

    for (size_t len = 0; len < sizeof(s); len++)
        EXPECT(read_exact(&s, len, &image)[0] != 0);
}

TEST(other_files)
{
    struct sample s = sample_make();
    static const char magic[4] = {'H', 'd', 'r', 'S'};
    uint8_t bzimage[1024] = {0};
    struct elf_image image;

    memcpy(bzimage + 0x202, magic, sizeof(magic));
    EXPECT(strstr(read_exact(bzimage, sizeof(bzimage), &image), "is a bzImage"));
    EXPECT(strstr(read_exact("", 0, &image), "is empty"));
    EXPECT(strstr(read_exact("hello, I am a text file", 24, &image), "is no ELF file"));
    s.ehdr.e_machine = EM_AARCH64;
    EXPECT(says(&s, "another processor"));
    s = sample_make();
    s.ehdr.e_ident[EI_DATA] = ELFDATA2MSB;
    EXPECT(says(&s, "big-endian"));
    s = sample_make();
    s.ehdr.e_phentsize = 55;
    EXPECT(says(&s, "wrong size"));
}

TEST(notes)
{
    struct sample s = sample_make();

    s.note.nhdr.n_type = 1;
    EXPECT(says(&s, "no PVH note: build it with CONFIG_PVH"));
    s = sample_make();
    memcpy(s.note.name, "GNU", 4);
    EXPECT(says(&s, "no PVH note"));
    s = sample_make();
    s.note.nhdr.n_namesz = 0xfffffffe;
    EXPECT(says(&s, "no PVH note"));
    s.note.nhdr.n_namesz = 4;
    s.note.nhdr.n_descsz = 0xffffffff;
    EXPECT(says(&s, "no PVH note"));
    s = sample_make();
    s.note.entry = 0x1000010;
    EXPECT(says(&s, "outside of its segments"));
}

TEST(hostile_segments)
{
    struct sample s = sample_make();

    s.phdr[0].p_offset = UINT64_MAX - 3;
    EXPECT(says(&s, "truncated"));
    s = sample_make();
    s.phdr[0].p_filesz = UINT64_MAX;
    EXPECT(says(&s, "truncated"));
    s = sample_make();
    s.phdr[0].p_memsz = 8;
    EXPECT(says(&s, "more bytes in the file"));
    s = sample_make();
    s.phdr[0].p_memsz = UINT64_MAX - 0xfff;
    EXPECT(says(&s, "above 4 GiB"));
    s = sample_make();
    s.phdr[0].p_paddr = 0xfffffff8;
    EXPECT(says(&s, "above 4 GiB"));
    s = sample_make();
    s.phdr[0].p_paddr = 0x200008;
    EXPECT(says(&s, "overlap"));
    s.phdr[0].p_paddr = 0x1ff800;
    EXPECT(says(&s, "overlap"));
    s.ehdr.e_phoff = UINT64_MAX;
    EXPECT(says(&s, "truncated"));
    s = sample_make();
    s.ehdr.e_phnum = 2;
    EXPECT(says(&s, "no PVH note"));
}

TEST(elf32_image)
{
    struct {
        Elf32_Ehdr ehdr;
        Elf32_Phdr phdr[2];
        Elf32_Nhdr nhdr;
        char name[4];
        uint32_t entry;
    } s = {
        .ehdr = {.e_ident = {0x7f, 'E', 'L', 'F', ELFCLASS32, ELFDATA2LSB, EV_CURRENT},
                 .e_machine = EM_386,
                 .e_phoff = sizeof(Elf32_Ehdr),
                 .e_phentsize = sizeof(Elf32_Phdr),
                 .e_phnum = 2},
        .phdr = {{.p_type = PT_LOAD, .p_paddr = 0x100000, .p_filesz = 52, .p_memsz = 64},
                 {.p_type = PT_NOTE,
                  .p_offset = sizeof(Elf32_Ehdr) + 2 * sizeof(Elf32_Phdr),
                  .p_filesz = sizeof(Elf32_Nhdr) + 8}},
        .nhdr = {4, 4, XEN_ELFNOTE_PHYS32_ENTRY},
        .name = "Xen",
        .entry = 0x100010,
    };
    struct elf_image image;

    EXPECT(read_exact(&s, sizeof(s), &image)[0] == 0);
    EXPECT(image.entry == 0x100010 && image.segment_count == 1 && image.end == 0x100040);
}
