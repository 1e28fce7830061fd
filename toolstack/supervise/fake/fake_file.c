/* Files for the pretend host, in a folder of their own. */
#include "fake_core.h"

#include <elf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <abi/offer.h>
#include <abi/start.h>

static char folder[64];
static char names[16][96];
static unsigned count;

const struct config_root fake_root = {folder, NULL};

/* Loads its one segment of 16 bytes at 2 MiB and starts there. */
struct kernel {
    Elf64_Ehdr ehdr;
    Elf64_Phdr phdr[2];
    Elf64_Nhdr nhdr;
    char name[4];
    uint64_t entry;
    Elf64_Nhdr offer_nhdr;
    char offer_name[12];
    char offer[256];
    char text[16];
};

static const struct kernel kernel = {
    .ehdr = {.e_ident = {0x7f, 'E', 'L', 'F', ELFCLASS64, ELFDATA2LSB, EV_CURRENT},
             .e_machine = EM_X86_64,
             .e_phoff = offsetof(struct kernel, phdr),
             .e_phentsize = sizeof(Elf64_Phdr),
             .e_phnum = 2},
    .phdr = {{.p_type = PT_LOAD,
              .p_offset = offsetof(struct kernel, text),
              .p_paddr = 0x200000,
              .p_filesz = 16,
              .p_memsz = 4096},
             {.p_type = PT_NOTE,
              .p_offset = offsetof(struct kernel, nhdr),
              .p_filesz = 24 + sizeof(Elf64_Nhdr) + 12 + 256}},
    .nhdr = {4, 8, XEN_ELFNOTE_PHYS32_ENTRY},
    .name = "Xen",
    .entry = 0x200000,
    .offer_nhdr = {sizeof(OFFER_NAME), 256, OFFER_TYPE + 1}, /* nothing that is understood */
    .offer_name = OFFER_NAME,
    .text = "a tiny kernel..",
};

void fake_file(const char *path, const void *bytes, size_t len)
{
    FILE *f;

    if (folder[0] == 0) {
        (void)snprintf(folder, sizeof(folder), "/tmp/fake-core-XXXXXX");
        if (!mkdtemp(folder))
            abort();
    }
    if (count == 16)
        abort();
    (void)snprintf(names[count], sizeof(names[count]), "%s%s", folder, path);
    f = fopen(names[count++], "wb");
    if (!f ||
        fwrite(bytes ? bytes : (const void *)&kernel, 1, bytes ? len : sizeof(kernel), f) == 0)
        abort();
    (void)fclose(f);
}

void fake_image(const char *path, const char *offer, char mark)
{
    struct kernel k = kernel;

    k.offer_nhdr.n_type = OFFER_TYPE;
    (void)snprintf(k.offer, sizeof(k.offer), "%s", offer);
    k.text[0] = mark;
    fake_file(path, &k, sizeof(k));
}

void fake_fini(void)
{
    while (count > 0)
        unlink(names[--count]);
    if (folder[0])
        rmdir(folder);
    folder[0] = 0;
}
