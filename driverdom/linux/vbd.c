/*
 * Disks of guests: blkback waits until physical-device names a device; the
 * toolstack lets the guest run once hotplug-status is there.
 */
#include "vbd.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "device.h"

#define VBDS_MAX 256u

struct vbd {
    char path[64]; /* backend/vbd/FRONT/NUMBER */
    char params[128];
    bool writable;
    bool open;   /* has a device */
    bool failed; /* was told so */
    struct device device;
};

static struct {
    struct vbd vbd[VBDS_MAX];
    unsigned count;
} all;

static bool is_number(const char *text)
{
    return *text && strspn(text, "0123456789") == strlen(text) && strlen(text) < 10;
}

/* False: it is not (yet) described. */
static bool describe(struct bus *b, const char *sys, struct vbd *v)
{
    char mode[8];
    char text[32];

    if (bus_read(b, v->params, sizeof(v->params), "%s/params", v->path) <= 0 ||
        bus_read(b, mode, sizeof(mode), "%s/mode", v->path) <= 0)
        return false;
    v->writable = strchr(mode, 'w') != NULL;
    v->failed = bus_read(b, text, sizeof(text), "%s/hotplug-status", v->path) > 0 &&
                strcmp(text, "error") == 0;
    v->open = bus_read(b, text, sizeof(text), "%s/physical-device", v->path) > 0;
    if (v->open && device_find(sys, v->params, &v->device) != 0)
        v->device = (struct device){0}; /* its device has gone: nobody else can want it */
    return true;
}

static void collect(struct bus *b, const char *sys)
{
    char fronts[XENSTORE_PAYLOAD_MAX + 1];
    char numbers[XENSTORE_PAYLOAD_MAX + 1];
    int len = bus_list(b, fronts, sizeof(fronts), "backend/vbd");

    all.count = 0;
    for (char *front = fronts; len > 0 && front < fronts + len; front += strlen(front) + 1) {
        int more = bus_list(b, numbers, sizeof(numbers), "backend/vbd/%.16s", front);

        for (char *n = numbers; more > 0 && n < numbers + more; n += strlen(n) + 1) {
            struct vbd *v = &all.vbd[all.count];

            if (all.count == VBDS_MAX || !is_number(front) || !is_number(n))
                continue;
            memset(v, 0, sizeof(*v));
            (void)snprintf(v->path, sizeof(v->path), "backend/vbd/%.10s/%.10s", front, n);
            if (describe(b, sys, v))
                all.count++;
        }
    }
}

static void say(struct bus *b, const struct vbd *v, const char *status, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

static void say(struct bus *b, const struct vbd *v, const char *status, const char *format, ...)
{
    char text[256];
    va_list args;
    int rc = 0;

    va_start(args, format);
    (void)vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    fprintf(stderr, "%s: %s\n", v->path, text);
    if (status[0] == 'e')
        rc = bus_write(b, text, "%s/hotplug-error", v->path);
    if (rc == 0)
        rc = bus_write(b, status, "%s/hotplug-status", v->path);
    /* The guest may be gone already, and its nodes with it. */
    if (rc < 0 && rc != -ENOENT)
        fprintf(stderr, "%s: hotplug-status cannot be written: %s\n", v->path, strerror(-rc));
}

/* Whoever writes to a device is alone on it. */
static const struct vbd *find_user(const struct vbd *v)
{
    for (unsigned i = 0; i < all.count; i++) {
        const struct vbd *other = &all.vbd[i];

        if (other != v && other->open && (other->writable || v->writable) &&
            device_overlaps(&other->device, &v->device))
            return other;
    }
    return NULL;
}

static void open_device(struct bus *b, const char *sys, struct vbd *v)
{
    const struct vbd *user;
    char numbers[32];
    int rc = device_find(sys, v->params, &v->device);

    if (rc == -ENOENT)
        return; /* it may come: the next uevent looks again */
    if (rc == -EEXIST) {
        say(b, v, "error", "several partitions have the label of %s: give them different ones",
            v->params);
        return;
    }
    if (rc < 0) {
        say(b, v, "error", "'%s' is no name of a disk here: write /dev/NAME", v->params);
        return;
    }
    user = find_user(v);
    if (user) {
        say(b, v, "error", "%s is in use by domain %d", v->params,
            atoi(user->path + strlen("backend/vbd/")));
        return;
    }
    (void)snprintf(numbers, sizeof(numbers), "%x:%x", v->device.major, v->device.minor);
    rc = bus_write(b, numbers, "%s/physical-device", v->path);
    v->open = rc == 0;
    if (v->open)
        say(b, v, "connected", "is %s (%s)%s", v->params, numbers,
            v->writable ? "" : ", read-only");
}

void vbd_scan(struct bus *b, const char *sys)
{
    collect(b, sys);
    for (unsigned i = 0; i < all.count; i++)
        if (!all.vbd[i].open && !all.vbd[i].failed)
            open_device(b, sys, &all.vbd[i]);
}
