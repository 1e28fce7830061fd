/* cpio archives of format "newc": a header of hexadecimal digits, the name, the bytes. */
#include <cpio.h>

enum {
    MAGIC_LEN = 6,
    FIELD_LEN = 8,
    FIELD_MODE = 1,
    FIELD_FILE_SIZE = 6,
    FIELD_NAME_SIZE = 11,
    HEADER_LEN = MAGIC_LEN + 13 * FIELD_LEN,
    MODE_KIND = 0170000,
    MODE_DIRECTORY = 0040000,
};

static const char trailer[] = "TRAILER!!!";

/* No libc here: the runtime's system-call floor uses this code too. */
static bool is_equal(const char *a, const char *b)
{
    while (*a != 0 && *a == *b) {
        a++;
        b++;
    }
    return *a == *b;
}

static bool is_magic(const uint8_t *p)
{
    return p[0] == '0' && p[1] == '7' && p[2] == '0' && p[3] == '7' && p[4] == '0' &&
           (p[5] == '1' || p[5] == '2');
}

static bool read_field(const uint8_t *header, size_t field, uint32_t *value)
{
    const uint8_t *p = header + MAGIC_LEN + field * FIELD_LEN;
    uint32_t v = 0;

    for (size_t i = 0; i < FIELD_LEN; i++) {
        uint32_t c = p[i];

        if (c >= '0' && c <= '9')
            c -= '0';
        else if ((c | 0x20) >= 'a' && (c | 0x20) <= 'f')
            c = (c | 0x20) - 'a' + 10;
        else
            return false;
        v = v << 4 | c;
    }
    *value = v;
    return true;
}

/* Names and bytes end at the next multiple of four. */
static size_t pad(size_t n)
{
    return (n + 3) & ~(size_t)3;
}

bool cpio_next(const void *archive, size_t len, size_t *offset, struct cpio_file *file)
{
    uint32_t mode;
    uint32_t name_len;
    uint32_t data_len;

    if (*offset > len || len - *offset < HEADER_LEN)
        return false;

    const uint8_t *header = (const uint8_t *)archive + *offset;
    size_t left = len - *offset;

    if (!is_magic(header) || !read_field(header, FIELD_MODE, &mode) ||
        !read_field(header, FIELD_NAME_SIZE, &name_len) ||
        !read_field(header, FIELD_FILE_SIZE, &data_len))
        return false;
    if (name_len == 0 || name_len > left - HEADER_LEN || header[HEADER_LEN + name_len - 1] != 0)
        return false;

    size_t data = pad(HEADER_LEN + (size_t)name_len);

    if (data > left || data_len > left - data)
        return false;

    size_t end = pad(data + data_len);

    *file = (struct cpio_file){
        .name = (const char *)header + HEADER_LEN,
        .data = header + data,
        .len = data_len,
        .is_directory = (mode & MODE_KIND) == MODE_DIRECTORY,
    };
    *offset += end < left ? end : left;
    return !is_equal(file->name, trailer);
}

static const char *plain(const char *path)
{
    for (;;) {
        if (path[0] == '/')
            path++;
        else if (path[0] == '.' && path[1] == '/')
            path += 2;
        else
            return path;
    }
}

bool cpio_find(const void *archive, size_t len, const char *path, struct cpio_file *file)
{
    size_t offset = 0;

    path = plain(path);
    while (cpio_next(archive, len, &offset, file))
        if (is_equal(plain(file->name), path))
            return true;
    return false;
}
