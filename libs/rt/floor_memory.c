/* System calls on memory: pages for the heap, and copies of files. */
#include "floor.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <sys/mman.h>

#include <rt/memory.h>

#include "internal.h"

long floor_brk(const uint64_t a[6])
{
    return (long)memory_break(a[0]);
}

/* To be written: a copy, since the module is read-only. Bytes past the end are 0. */
static long copy_file(const uint64_t a[6], void *to)
{
    const uint8_t *data = NULL;
    uint64_t len = 0;
    long status = floor_file(a[4], &data, &len);

    if (status < 0)
        return status;
    if (a[5] < len)
        memcpy(to, data + a[5], a[1] < len - a[5] ? a[1] : len - a[5]);
    return 0;
}

/*
 * To be read: where the file lies in the module. It begins at no page there, so
 * neither does the mapping; but a file can be larger than all of memory. NULL
 * for what goes past the file's end, behind which is another.
 */
static const uint8_t *find_in_file(const uint64_t a[6])
{
    const uint8_t *data = NULL;
    uint64_t len = 0;

    if ((a[2] & PROT_WRITE) != 0 || floor_file(a[4], &data, &len) < 0 || a[5] > len ||
        a[1] > len - a[5])
        return NULL;
    return data + a[5];
}

static bool is_module(uint64_t address)
{
    return address >= start_info.module.start && address < start_info.module.end;
}

static size_t pages_of(uint64_t len)
{
    return (size_t)(len >> PAGE_SHIFT) + ((len & PAGE_MASK) != 0);
}

long floor_mmap(const uint64_t a[6])
{
    size_t count = pages_of(a[1]);
    bool is_file = (a[3] & MAP_ANONYMOUS) == 0;

    if (count == 0 || (a[3] & MAP_FIXED) != 0)
        return -EINVAL;

    const uint8_t *in_file = is_file ? find_in_file(a) : NULL;

    if (in_file)
        return (long)(uintptr_t)in_file;

    void *pages = memory_pages_alloc(count);

    if (!pages)
        return -ENOMEM;
    if (is_file) {
        long status = copy_file(a, pages);

        if (status < 0) {
            memory_pages_free(pages, count);
            return status;
        }
    }
    return (long)(uintptr_t)pages;
}

long floor_munmap(const uint64_t a[6])
{
    size_t count = pages_of(a[1]);

    if (is_module(a[0]))
        return 0;
    if ((a[0] & PAGE_MASK) != 0 || count == 0 || !memory_is_ram(a[0]))
        return -EINVAL;
    memory_pages_free(floor_pointer(a[0]), count);
    return 0;
}
