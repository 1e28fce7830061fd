/* One look-up in the bundle: cpio "newc", 110-byte headers of hexadecimal numbers. */
#include "domain/bundle.h"

#include <abi/layout.h>
#include <abi/xen.h>

#include "domain/first.h"
#include "mm/copy.h"
#include "util/string.h"

#define HEADER_LEN 110u
#define MAGIC      "070701"
#define MAGIC_LEN  6u
#define NAME_MAX   256u
#define TRAILER    "TRAILER!!!"

/* Fields of eight digits after the magic. */
enum { FIELD_FILESIZE = 6, FIELD_NAMESIZE = 11 };

int bundle_read(struct domain *d, uint64_t offset, void *buf, size_t len)
{
    if (offset > boot_options.bundle_len || len > boot_options.bundle_len - offset)
        return -XEN_EINVAL;
    return copy_from_gpa(d, buf, (gpa_t){LAYOUT_BUNDLE + offset}, len);
}

/* -1 if it is no number. */
static int64_t field(const char *header, unsigned which)
{
    const char *digits = header + MAGIC_LEN + 8 * which;
    int64_t value = 0;

    for (unsigned i = 0; i < 8; i++) {
        int digit = string_digit(digits[i]);

        if (digit < 0)
            return -1;
        value = value << 4 | digit;
    }
    return value;
}

static uint64_t align4(uint64_t x)
{
    return (x + 3) & ~3ull;
}

int bundle_find(struct domain *d, const char *path, uint64_t *offset, uint64_t *len)
{
    uint64_t at = 0;

    for (;;) {
        char header[HEADER_LEN];
        char name[NAME_MAX];

        if (bundle_read(d, at, header, sizeof(header)) < 0 || memcmp(header, MAGIC, MAGIC_LEN) != 0)
            return -XEN_EINVAL;
        int64_t size = field(header, FIELD_FILESIZE);
        int64_t name_len = field(header, FIELD_NAMESIZE);
        if (size < 0 || name_len <= 0)
            return -XEN_EINVAL;
        uint64_t data = align4(at + HEADER_LEN + (uint64_t)name_len);
        if (data + (uint64_t)size > boot_options.bundle_len)
            return -XEN_EINVAL;
        if ((uint64_t)name_len <= sizeof(name)) {
            if (bundle_read(d, at + HEADER_LEN, name, (size_t)name_len) < 0)
                return -XEN_EINVAL;
            name[name_len - 1] = '\0';
            if (strcmp(name, TRAILER) == 0)
                return -XEN_ENOENT;
            if (strcmp(name, path) == 0) {
                *offset = data;
                *len = (uint64_t)size;
                return 0;
            }
        }
        at = align4(data + (uint64_t)size);
    }
}
