#include "domain/bundle.h"

#include <stdio.h>
#include <string.h>

#include "check.h"
#include "fake_arch.h"

#include <abi/layout.h>
#include <abi/xen.h>

#include "domain/first.h"
#include "mm/copy.h"

static char bundle[PAGE_SIZE];
static size_t len;

/* The control domain's memory, as far as it is the bundle. */
int copy_from_gpa(struct domain *, void *dst, gpa_t src, size_t n)
{
    EXPECT(src.v >= LAYOUT_BUNDLE && src.v - LAYOUT_BUNDLE + n <= boot_options.bundle_len);
    memcpy(dst, bundle + (src.v - LAYOUT_BUNDLE), n);
    return 0;
}

static void add(const void *bytes, size_t n)
{
    memcpy(bundle + len, bytes, n);
    len += n;
    while (len % 4)
        bundle[len++] = 0;
}

static void add_file(const char *name, const char *content)
{
    char header[256];

    snprintf(header, sizeof(header), "070701%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%s",
             1, 0100644, 0, 0, 1, 0, (unsigned)strlen(content), 0, 0, 0, 0,
             (unsigned)strlen(name) + 1, 0, name);
    add(header, strlen(header) + 1);
    add(content, strlen(content));
}

static void start(void)
{
    fake_machine();
    len = 0;
    add_file("host.xml", "<host/>");
    add_file("bulkhead/control.elf", "ELF and so on");
    add_file("empty", "");
    add_file("TRAILER!!!", "");
    boot_options.bundle_len = len;
}

TEST(files_are_found)
{
    uint64_t offset, size;
    char text[32] = "";

    start();
    EXPECT(bundle_find(NULL, "bulkhead/control.elf", &offset, &size) == 0 && size == 13);
    EXPECT(bundle_read(NULL, offset, text, size) == 0 && strcmp(text, "ELF and so on") == 0);
    EXPECT(bundle_find(NULL, "empty", &offset, &size) == 0 && size == 0);
    EXPECT(bundle_find(NULL, "control.elf", &offset, &size) == -XEN_ENOENT);
    EXPECT(bundle_find(NULL, "TRAILER!!!", &offset, &size) == -XEN_ENOENT);
}

/* Cut anywhere: found, or an error, never past the end. */
TEST(cut_off_anywhere)
{
    uint64_t offset, size;

    start();
    size_t all = boot_options.bundle_len;
    for (size_t n = 0; n < all; n++) {
        boot_options.bundle_len = n;
        int rc = bundle_find(NULL, "bulkhead/control.elf", &offset, &size);
        EXPECT(rc == 0 || rc == -XEN_EINVAL || rc == -XEN_ENOENT);
        EXPECT(rc < 0 || (offset <= n && size <= n - offset));
    }
}

TEST(damaged)
{
    uint64_t offset, size;

    start();
    bundle[3] = 'x';
    EXPECT(bundle_find(NULL, "empty", &offset, &size) == -XEN_EINVAL);
    start();
    memset(bundle + 6 + 6 * 8, 'f', 8); /* a file of 4 GiB */
    EXPECT(bundle_find(NULL, "empty", &offset, &size) == -XEN_EINVAL);
    start();
    memset(bundle + 6 + 11 * 8, 'f', 8); /* a name of 4 GiB */
    EXPECT(bundle_find(NULL, "empty", &offset, &size) == -XEN_EINVAL);
    EXPECT(bundle_read(NULL, boot_options.bundle_len, &size, 1) < 0);
    EXPECT(bundle_read(NULL, UINT64_MAX, &size, 2) < 0);
}
