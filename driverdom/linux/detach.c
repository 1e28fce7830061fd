/* Takes back ends off their devices by sysfs, and puts them on again. */
#include "detach.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define BACKENDS "bus/xen-backend"

static const char *const kinds[] = {"vif", "vbd"};
#define KINDS (sizeof(kinds) / sizeof(kinds[0]))

#define NOT_ASKED "0"

static bool detached; /* or on the way to it */

/* A device is called KIND-FRONT-NUMBER; a driver's folder has other entries, too. */
static bool is_of(const char *kind, const char *name)
{
    size_t len = strlen(kind);

    return strncmp(name, kind, len) == 0 && name[len] == '-';
}

/* Writes a device's name to `file` of its driver. Gone, or done already: no matter. */
static void tell_driver(const char *sys, const char *kind, const char *file, const char *name)
{
    char path[PATH_MAX];
    int fd;

    (void)snprintf(path, sizeof(path), "%s/" BACKENDS "/drivers/%s/%s", sys, kind, file);
    fd = open(path, O_WRONLY | O_CLOEXEC);
    if (fd < 0 || (write(fd, name, strlen(name)) < 0 && errno != ENODEV))
        fprintf(stderr, "%s: %s: %s\n", path, name, strerror(errno));
    if (fd >= 0)
        (void)close(fd);
}

/* Every device of a kind that stands in a folder below the bus is told of; how many. */
static unsigned tell_all(const char *sys, const char *folder, const char *kind, const char *file)
{
    char path[PATH_MAX];
    unsigned count = 0;
    struct dirent *at;
    DIR *dir;

    (void)snprintf(path, sizeof(path), "%s/" BACKENDS "/%s", sys, folder);
    dir = opendir(path);
    while (dir && (at = readdir(dir)) != NULL) {
        if (!is_of(kind, at->d_name))
            continue;
        tell_driver(sys, kind, file, at->d_name);
        count++;
    }
    if (dir)
        (void)closedir(dir);
    return count;
}

static unsigned unbind_all(const char *sys)
{
    char folder[32];
    unsigned count = 0;

    for (size_t i = 0; i < KINDS; i++) {
        (void)snprintf(folder, sizeof(folder), "drivers/%s", kinds[i]);
        count += tell_all(sys, folder, kinds[i], "unbind");
    }
    return count;
}

/*
 * xen-netback lets go when it has answered everything. xen-blkback does so later:
 * each disk with requests under way holds the module. -ENOENT: there is no such
 * module, and so no disk; another error: nobody can tell.
 */
static int disks_busy(const char *sys, unsigned *count)
{
    char path[PATH_MAX];
    FILE *f;
    int rc;

    (void)snprintf(path, sizeof(path), "%s/module/xen_blkback", sys);
    if (access(path, F_OK) != 0)
        return -ENOENT;
    (void)snprintf(path, sizeof(path), "%s/module/xen_blkback/refcnt", sys);
    f = fopen(path, "re");
    if (!f)
        return -EIO;
    rc = fscanf(f, "%u", count) == 1 ? 0 : -EIO;
    (void)fclose(f);
    return rc;
}

static bool is_drained(const char *sys)
{
    unsigned count = 0;
    int rc = disks_busy(sys, &count);

    return rc == -ENOENT || (rc == 0 && count == 0);
}

int detach_offer(struct bus *b, const char *sys)
{
    unsigned count;
    int rc = disks_busy(sys, &count);

    if (rc < 0 && rc != -ENOENT)
        return 0;
    rc = bus_watch(b, "control/detach");
    return rc < 0 ? rc : bus_write(b, "1", "control/feature-detach");
}

/*
 * The number of the question, which the answer repeats: it may be taken back at any
 * time, and asked again, before an answer is seen.
 */
static bool is_wanted(struct bus *b, char question[16])
{
    return bus_read(b, question, 16, "control/detach") > 0 && strcmp(question, NOT_ASKED) != 0;
}

static void answer(struct bus *b, const char *value)
{
    int rc = bus_write(b, value, "control/detached");

    if (rc < 0)
        fprintf(stderr, "control/detached cannot be written: %s\n", strerror(-rc));
}

bool detach_step(struct bus *b, const char *sys)
{
    char question[16];
    bool wanted = is_wanted(b, question);

    if (!wanted && detached) {
        for (size_t i = 0; i < KINDS; i++)
            (void)tell_all(sys, "devices", kinds[i], "bind");
        answer(b, NOT_ASKED);
    }
    detached = wanted;
    if (!wanted)
        return false;
    /* One may just have come. */
    if (unbind_all(sys) > 0 || !is_drained(sys))
        return true;
    sync();
    answer(b, question);
    return false;
}
