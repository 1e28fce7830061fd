/* System calls on files: those of the module, read-only, and the console for 0 to 2. */
#include "floor.h"

#include <cpio.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/uio.h>

#include <rt/start.h>

#include "internal.h"

#define FD_FIRST    3u
#define FD_COUNT    32u
#define STDIO_COUNT 3u

struct open_file {
    struct cpio_file file;
    size_t offset;
    bool used;
};

static struct open_file files[FD_COUNT];

static struct open_file *find(uint64_t fd)
{
    if (fd < FD_FIRST || fd >= FD_FIRST + FD_COUNT || !files[fd - FD_FIRST].used)
        return NULL;
    return &files[fd - FD_FIRST];
}

static bool look_up(const char *path, struct cpio_file *file)
{
    size_t len;
    const void *module = start_module(&len);

    return module && cpio_find(module, len, path, file);
}

static long open_path(const char *path, uint64_t flags)
{
    struct cpio_file file;
    bool found = look_up(path, &file);

    if ((flags & O_ACCMODE) != O_RDONLY || (!found && (flags & O_CREAT) != 0))
        return -EROFS;
    if (!found)
        return -ENOENT;
    for (unsigned i = 0; i < FD_COUNT; i++)
        if (!files[i].used) {
            files[i] = (struct open_file){.file = file, .used = true};
            return (long)(FD_FIRST + i);
        }
    return -EMFILE;
}

long floor_open(const uint64_t a[6])
{
    return open_path(floor_pointer(a[0]), a[1]);
}

long floor_openat(const uint64_t a[6])
{
    return open_path(floor_pointer(a[1]), a[2]);
}

long floor_close(const uint64_t a[6])
{
    struct open_file *f = find(a[0]);

    if (a[0] < STDIO_COUNT)
        return 0;
    if (!f)
        return -EBADF;
    f->used = false;
    return 0;
}

long floor_file(uint64_t fd, const uint8_t **data, uint64_t *len)
{
    const struct open_file *f = find(fd);

    if (!f)
        return -EBADF;
    *data = f->file.data;
    *len = f->file.len;
    return 0;
}

static size_t copy_out(const struct open_file *f, size_t offset, void *to, size_t len)
{
    size_t left = offset < f->file.len ? f->file.len - offset : 0;

    if (len > left)
        len = left;
    memcpy(to, f->file.data + offset, len);
    return len;
}

long floor_read(const uint64_t a[6])
{
    struct open_file *f = find(a[0]);

    if (a[0] == 0)
        return 0; /* nothing is ever typed to standard input */
    if (!f)
        return -EBADF;
    if (f->file.is_directory)
        return -EISDIR;

    size_t n = copy_out(f, f->offset, floor_pointer(a[1]), a[2]);

    f->offset += n;
    return (long)n;
}

long floor_pread(const uint64_t a[6])
{
    const struct open_file *f = find(a[0]);

    return f ? (long)copy_out(f, a[3], floor_pointer(a[1]), a[2]) : -EBADF;
}

long floor_readv(const uint64_t a[6])
{
    const struct iovec *v = floor_pointer(a[1]);
    long total = 0;

    for (uint64_t i = 0; i < a[2]; i++) {
        long n = floor_read((uint64_t[6]){a[0], (uint64_t)(uintptr_t)v[i].iov_base, v[i].iov_len});

        if (n < 0)
            return n;
        total += n;
        if ((size_t)n < v[i].iov_len)
            break;
    }
    return total;
}

long floor_lseek(const uint64_t a[6])
{
    struct open_file *f = find(a[0]);
    long base = 0;
    long to;

    if (a[0] < STDIO_COUNT)
        return -ESPIPE;
    if (!f)
        return -EBADF;
    if (a[2] == SEEK_CUR)
        base = (long)f->offset;
    else if (a[2] == SEEK_END)
        base = (long)f->file.len;
    else if (a[2] != SEEK_SET)
        return -EINVAL;
    if (__builtin_add_overflow(base, (long)a[1], &to) || to < 0)
        return -EINVAL;
    f->offset = (size_t)to;
    return to;
}

static void fill(struct stat *s, const struct cpio_file *file)
{
    memset(s, 0, sizeof(*s));
    s->st_nlink = 1;
    s->st_blksize = 4096;
    if (!file) {
        s->st_mode = S_IFCHR | 0600;
        return;
    }
    s->st_mode = file->is_directory ? S_IFDIR | 0555u : S_IFREG | 0444u;
    s->st_ino = (ino_t)(uintptr_t)file->data;
    s->st_size = (off_t)file->len;
    s->st_blocks = (blkcnt_t)((file->len + 511) / 512);
}

static long stat_path(const char *path, void *to)
{
    struct cpio_file file;

    if (!look_up(path, &file))
        return -ENOENT;
    fill(to, &file);
    return 0;
}

long floor_stat(const uint64_t a[6])
{
    return stat_path(floor_pointer(a[0]), floor_pointer(a[1]));
}

long floor_fstat(const uint64_t a[6])
{
    const struct open_file *f = find(a[0]);

    if (!f && a[0] >= STDIO_COUNT)
        return -EBADF;
    fill(floor_pointer(a[1]), f ? &f->file : NULL);
    return 0;
}

long floor_fstatat(const uint64_t a[6])
{
    const char *path = floor_pointer(a[1]);

    if ((a[3] & AT_EMPTY_PATH) != 0 && path[0] == 0)
        return floor_fstat((uint64_t[6]){a[0], a[2]});
    return stat_path(path, floor_pointer(a[2]));
}

static long access_path(const char *path, uint64_t how)
{
    struct cpio_file file;

    if (!look_up(path, &file))
        return -ENOENT;
    return (how & 2) != 0 ? -EROFS : 0; /* 2: W_OK */
}

long floor_access(const uint64_t a[6])
{
    return access_path(floor_pointer(a[0]), a[1]);
}

long floor_faccessat(const uint64_t a[6])
{
    return access_path(floor_pointer(a[1]), a[2]);
}

long floor_write(const uint64_t a[6])
{
    if (a[0] != 1 && a[0] != 2)
        return -EBADF;
    console_write(floor_pointer(a[1]), a[2]);
    return (long)a[2];
}

long floor_writev(const uint64_t a[6])
{
    const struct iovec *v = floor_pointer(a[1]);
    size_t total = 0;

    if (a[0] != 1 && a[0] != 2)
        return -EBADF;
    for (uint64_t i = 0; i < a[2]; i++) {
        console_write(v[i].iov_base, v[i].iov_len);
        total += v[i].iov_len;
    }
    return (long)total;
}

/* The console says it is a terminal, so that the C library writes it by lines. */
long floor_ioctl(const uint64_t a[6])
{
    if ((a[0] != 1 && a[0] != 2) || a[1] != TIOCGWINSZ)
        return -ENOTTY;
    memset(floor_pointer(a[2]), 0, sizeof(struct winsize));
    return 0;
}

/* Only what fopen() asks for: close-on-exec, which means nothing here. */
long floor_fcntl(const uint64_t a[6])
{
    return a[1] == F_SETFD || a[1] == F_GETFD || a[1] == F_GETFL ? 0 : -EINVAL;
}

long floor_getcwd(const uint64_t a[6])
{
    char *to = floor_pointer(a[0]);

    if (a[1] < 2)
        return -ERANGE;
    to[0] = '/';
    to[1] = 0;
    return 2;
}
