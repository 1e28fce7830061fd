/* What a domain's memory holds when it starts: kernel, initrd, tables, command line. */
#include "steps.h"

#include "acpi.h"
#include "memory.h"

#include <errno.h>
#include <string.h>

#include <abi/layout.h>
#include <abi/start.h>

static int open_file(struct build *b, const char *path, unsigned line, struct mapped *file)
{
    int rc = mapped_open(b->order.root, path, file);

    if (rc == -ENOENT)
        return build_fail(b, rc, line, "there is no file %s: name one that is in the bundle", path);
    if (rc != 0)
        return build_fail(b, rc, line, "%s cannot be read: %s", path, strerror(-rc));
    return 0;
}

int step_open_images(struct build *b)
{
    const struct domain_config *c = b->order.config;
    const char *why;
    const char *kernel = b->order.kernel ? b->order.kernel : c->kernel;
    int rc = open_file(b, kernel, c->kernel_line, &b->kernel);

    if (rc != 0)
        return rc;
    rc = elf_read(b->kernel.bytes, b->kernel.len, &b->image, &why);
    if (rc != 0)
        return build_fail(b, rc, c->kernel_line, "%s %s", kernel, why);
    return c->initrd ? open_file(b, c->initrd, c->initrd_line, &b->initrd) : 0;
}

/* What is not copied is zero already: the core hands out zeroed frames. */
static int load_images_by(struct build *b, int (*load)(domid_t, uint64_t, const void *, size_t))
{
    const uint8_t *kernel = b->kernel.bytes;
    int rc = 0;

    for (unsigned i = 0; rc >= 0 && i < b->image.segment_count; i++) {
        const struct elf_segment *s = &b->image.segments[i];

        rc = load(b->domid, s->gpa, kernel + s->offset, s->file_len);
    }
    if (rc >= 0)
        rc = load(b->domid, b->layout.initrd, b->initrd.bytes, b->initrd.len);
    return rc < 0 ? build_refused(b, rc, "take the kernel and the initrd") : 0;
}

int step_load_images(struct build *b)
{
    return load_images_by(b, memory_load);
}

int step_reload_images(struct build *b)
{
    return load_images_by(b, memory_reload);
}

/* What the images leave out, where a last life was. */
int step_clear_images(struct build *b)
{
    int rc = 0;

    for (unsigned i = 0; rc >= 0 && i < b->image.segment_count; i++) {
        const struct elf_segment *s = &b->image.segments[i];

        if (!s->scratch)
            rc = memory_clear(b->domid, s->gpa + s->file_len, s->len - s->file_len);
    }
    return rc < 0 ? build_refused(b, rc, "clear the kernel's data") : 0;
}

int step_load_tables(struct build *b)
{
    static uint8_t tables[ACPI_LEN_MAX];
    const struct domain_config *c = b->order.config;
    struct acpi_request request = {.vcpus = c->vcpus, .has_devices = config_is_driver(c)};
    int len = acpi_write(&request, LAYOUT_ACPI_BASE, tables);
    struct layout_block block;
    int rc;

    if (len < 0)
        return build_fail(b, len, c->vcpu_line, "%u vCPUs cannot be described: at most %u",
                          c->vcpus, ACPI_VCPU_MAX);
    layout_fill(&b->request, &b->layout, LAYOUT_ACPI_BASE, &block);
    rc = memory_load(b->domid, LAYOUT_ACPI_BASE, tables, (size_t)len);
    if (rc >= 0)
        rc = memory_load(b->domid, b->layout.block, &block, sizeof(block));
    if (rc >= 0)
        rc = memory_load(b->domid, b->layout.cmdline, b->cmdline, b->request.cmdline_len + 1);
    return rc < 0 ? build_refused(b, rc, "take the start information") : 0;
}
