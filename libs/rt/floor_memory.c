/* System calls on memory: pages for the heap, and copies of files. */
#include "floor.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#include <rt/memory.h>

#include "internal.h"

long floor_brk(const uint64_t a[6])
{
    return (long)memory_break(a[0]);
}

/* A private mapping of a file is a copy of it: nothing else can change the module. */
static long map_file(const uint64_t a[6], void *to)
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

long floor_mmap(const uint64_t a[6])
{
    size_t count = (a[1] >> PAGE_SHIFT) + ((a[1] & PAGE_MASK) != 0);

    if (count == 0 || (a[3] & MAP_FIXED) != 0)
        return -EINVAL;

    void *pages = memory_pages_alloc(count);

    if (!pages)
        return -ENOMEM;
    if ((a[3] & MAP_ANONYMOUS) == 0) {
        long status = map_file(a, pages);

        if (status < 0) {
            memory_pages_free(pages, count);
            return status;
        }
    }
    return (long)(uintptr_t)pages;
}

long floor_munmap(const uint64_t a[6])
{
    size_t count = (a[1] >> PAGE_SHIFT) + ((a[1] & PAGE_MASK) != 0);

    if ((a[0] & PAGE_MASK) != 0 || count == 0 || !memory_is_ram(a[0]))
        return -EINVAL;
    memory_pages_free(floor_pointer(a[0]), count);
    return 0;
}
