/* Maps a file that a domain's description names. */
#include "mapped.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define PATH_LEN_MAX 1024

/* The project's own images may lie in a folder of their own. */
static int full_path(const struct config_root *root, const char *path, char out[PATH_LEN_MAX])
{
    size_t skip = root->images && strncmp(path, CONFIG_IMAGES, strlen(CONFIG_IMAGES)) == 0
                      ? strlen(CONFIG_IMAGES) - 1
                      : 0;
    int len =
        snprintf(out, PATH_LEN_MAX, "%s%s", skip > 0 ? root->images : root->prefix, path + skip);

    return len < 0 || len >= PATH_LEN_MAX ? -ENAMETOOLONG : 0;
}

int mapped_open(const struct config_root *root, const char *path, struct mapped *file)
{
    char full[PATH_LEN_MAX];
    struct stat st;
    int rc = full_path(root, path, full);
    void *bytes;
    int fd;

    *file = (struct mapped){0};
    if (rc != 0)
        return rc;
    fd = open(full, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return -errno;
    if (fstat(fd, &st) != 0) {
        rc = -errno;
    } else if (!S_ISREG(st.st_mode)) {
        rc = -EISDIR;
    } else if (st.st_size > 0) {
        bytes = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
        if (bytes == MAP_FAILED)
            rc = -errno;
        else
            *file = (struct mapped){bytes, (size_t)st.st_size};
    }
    close(fd);
    return rc;
}

void mapped_close(struct mapped *file)
{
    if (file->bytes) {
        /* munmap takes away the const that mmap had none of. */
        union {
            const void *in;
            void *out;
        } plain = {file->bytes};

        munmap(plain.out, file->len);
    }
    *file = (struct mapped){0};
}
