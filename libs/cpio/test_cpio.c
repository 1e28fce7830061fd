#include <cpio.h>

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct archive {
    char bytes[4096];
    size_t len;
};

static void align(struct archive *a)
{
    while (a->len % 4 != 0)
        a->bytes[a->len++] = 0;
}

static void add(struct archive *a, unsigned mode, const char *name, const char *data)
{
    size_t n = strlen(data);
    int head = snprintf(a->bytes + a->len, sizeof(a->bytes) - a->len,
                        "070701%08x%08x%032x%08zx%032x%08zx%08x%s", 1, mode, 0, n, 0,
                        strlen(name) + 1, 0, name);

    a->len += (size_t)head + 1;
    align(a);
    memcpy(a->bytes + a->len, data, n);
    a->len += n;
    align(a);
}

static struct archive sample(void)
{
    struct archive a = {.len = 0};

    add(&a, 040755, ".", "");
    add(&a, 040755, "./etc", "");
    add(&a, 0100644, "./etc/one", "first");
    add(&a, 0100644, "two", "");
    add(&a, 0, "TRAILER!!!", "");
    add(&a, 0100644, "after", "hidden");
    return a;
}

TEST(finds_files_by_either_spelling)
{
    struct archive a = sample();
    struct cpio_file f;

    EXPECT(cpio_find(a.bytes, a.len, "etc/one", &f));
    EXPECT(f.len == 5 && memcmp(f.data, "first", 5) == 0 && !f.is_directory);
    EXPECT(cpio_find(a.bytes, a.len, "/etc/one", &f));
    EXPECT(cpio_find(a.bytes, a.len, "./etc/one", &f));
    EXPECT(cpio_find(a.bytes, a.len, "/two", &f) && f.len == 0);
    EXPECT(cpio_find(a.bytes, a.len, "/etc", &f) && f.is_directory);
}

TEST(does_not_find_what_is_not_there)
{
    struct archive a = sample();
    struct cpio_file f;

    EXPECT(!cpio_find(a.bytes, a.len, "etc/on", &f));
    EXPECT(!cpio_find(a.bytes, a.len, "etc/one/", &f));
    EXPECT(!cpio_find(a.bytes, a.len, "after", &f));
    EXPECT(!cpio_find(a.bytes, a.len, "TRAILER!!!", &f));
    EXPECT(!cpio_find(a.bytes, 0, "two", &f));
}

/* Every prefix of an archive, in memory of exactly its size: no read past the end. */
TEST(stops_at_every_cut)
{
    struct archive a = sample();

    for (size_t n = 0; n < a.len; n++) {
        char *cut = malloc(n ? n : 1);
        struct cpio_file f;
        size_t offset = 0;

        if (!cut)
            abort();
        memcpy(cut, a.bytes, n);
        while (cpio_next(cut, n, &offset, &f))
            EXPECT(f.data + f.len <= (uint8_t *)cut + n);
        free(cut);
    }
}

TEST(refuses_broken_headers)
{
    struct archive a = sample();
    struct cpio_file f;
    size_t offset = 0;

    a.bytes[6 + 8] = 'x'; /* a digit of the mode */
    EXPECT(!cpio_next(a.bytes, a.len, &offset, &f));
    a = sample();
    memset(a.bytes + 6 + 11 * 8, '0', 8); /* a name of no bytes */
    EXPECT(!cpio_next(a.bytes, a.len, &offset, &f));
    memset(a.bytes + 6 + 11 * 8, 'f', 8);
    EXPECT(!cpio_next(a.bytes, a.len, &offset, &f));
    a = sample();
    memset(a.bytes + 6 + 6 * 8, 'F', 8); /* a file of 4 GiB */
    EXPECT(!cpio_next(a.bytes, a.len, &offset, &f));
}
