/* Reads /sys/class/block: each entry's uevent file has its numbers and its partition's label. */
#include "device.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LABELS "/dev/disk/by-partlabel/"

/* What an entry says of itself. */
struct entry {
    unsigned major, minor;
    char name[64];
    char label[128];
};

static int read_entry(const char *sys, const char *name, struct entry *e)
{
    char path[PATH_MAX];
    char line[256];
    bool has_minor = false;
    FILE *f;

    *e = (struct entry){0};
    if ((size_t)snprintf(e->name, sizeof(e->name), "%s", name) >= sizeof(e->name) ||
        (size_t)snprintf(path, sizeof(path), "%s/class/block/%s/uevent", sys, name) >= sizeof(path))
        return -EINVAL;
    f = fopen(path, "re");
    if (!f)
        return -ENOENT;
    while (fgets(line, sizeof(line), f)) {
        line[strcspn(line, "\n")] = '\0';
        if (strncmp(line, "MAJOR=", 6) == 0)
            e->major = (unsigned)strtoul(line + 6, NULL, 10);
        else if (strncmp(line, "MINOR=", 6) == 0)
            e->minor = (unsigned)strtoul(line + 6, NULL, 10), has_minor = true;
        else if (strncmp(line, "PARTNAME=", 9) == 0)
            (void)snprintf(e->label, sizeof(e->label), "%.127s", line + 9);
    }
    (void)fclose(f);
    return has_minor ? 0 : -ENOENT;
}

/* A partition's entry leads into its disk's: .../DISK/PARTITION. */
static int finish(const char *sys, const struct entry *e, struct device *out)
{
    char path[PATH_MAX];
    char where[PATH_MAX];
    char *last;
    ssize_t len;

    *out = (struct device){.major = e->major, .minor = e->minor};
    (void)snprintf(path, sizeof(path), "%.1024s/class/block/%s/partition", sys, e->name);
    out->whole = access(path, F_OK) != 0;
    (void)snprintf(out->disk, sizeof(out->disk), "%s", e->name);
    if (out->whole)
        return 0;
    (void)snprintf(path, sizeof(path), "%.1024s/class/block/%s", sys, e->name);
    len = readlink(path, where, sizeof(where) - 1);
    if (len < 0)
        return -errno;
    where[len] = '\0';
    last = strrchr(where, '/');
    if (last)
        *last = '\0';
    last = strrchr(where, '/');
    return last && (size_t)snprintf(out->disk, sizeof(out->disk), "%s", last + 1) <
                       sizeof(out->disk)
               ? 0
               : -EINVAL;
}

static int find_label(const char *sys, const char *label, struct entry *found)
{
    char path[PATH_MAX];
    struct dirent *at;
    int count = 0;
    DIR *dir;

    (void)snprintf(path, sizeof(path), "%.1024s/class/block", sys);
    dir = opendir(path);
    if (!dir)
        return -ENOENT;
    while ((at = readdir(dir)) != NULL) {
        struct entry e;

        if (at->d_name[0] != '.' && read_entry(sys, at->d_name, &e) == 0 &&
            strcmp(e.label, label) == 0) {
            *found = e;
            count++;
        }
    }
    (void)closedir(dir);
    return count == 1 ? 0 : count == 0 ? -ENOENT : -EEXIST;
}

int device_find(const char *sys, const char *name, struct device *out)
{
    struct entry e;
    int rc;

    if (strncmp(name, LABELS, sizeof(LABELS) - 1) == 0)
        rc = find_label(sys, name + sizeof(LABELS) - 1, &e);
    else if (strncmp(name, "/dev/", 5) == 0 && name[5] != '.' && !strchr(name + 5, '/'))
        rc = read_entry(sys, name + 5, &e);
    else
        rc = -EINVAL;
    return rc == 0 ? finish(sys, &e, out) : rc;
}

bool device_overlaps(const struct device *a, const struct device *b)
{
    return strcmp(a->disk, b->disk) == 0 &&
           (a->whole || b->whole || (a->major == b->major && a->minor == b->minor));
}
