/*
 * Stands where scripts stand on other systems: tells stock xen-blkback which
 * device a guest's disk is, and puts interfaces into their bridges.
 *
 *     linux-backend HOOK
 *
 * HOOK is run for each network interface that is there or comes, with its name
 * and, for a guest's, the name of the bridge that its description gives.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "bus.h"
#include "detach.h"
#include "uevent.h"
#include "vbd.h"

#define SYS "/sys"

/* The kernel does not tell when a back end has answered its last request. */
#define DETACH_LOOK_MS 10

extern char **environ;

static int run_hook(const char *hook, const char *interface, const char *bridge)
{
    char words[3][64];
    char *argv[] = {words[0], words[1], words[2], NULL};
    int status;
    pid_t child;

    (void)snprintf(words[0], sizeof(words[0]), "interface");
    (void)snprintf(words[1], sizeof(words[1]), "%s", interface);
    (void)snprintf(words[2], sizeof(words[2]), "%s", bridge);
    if (posix_spawn(&child, hook, NULL, NULL, argv, environ) != 0)
        return -errno;
    while (waitpid(child, &status, 0) < 0)
        if (errno != EINTR)
            return -errno;
    return status == 0 ? 0 : -EIO;
}

static void interface_came(struct bus *b, const char *hook, const char *name)
{
    char bridge[16] = "";
    unsigned domain;
    unsigned handle;
    int rc;

    if (!uevent_vif(name, &domain, &handle)) {
        if (run_hook(hook, name, "") != 0)
            fprintf(stderr, "%s: %s failed\n", name, hook);
        return;
    }
    /* No such node: the hook's own choice. */
    if (bus_read(b, bridge, sizeof(bridge), "backend/vif/%u/%u/bridge", domain, handle) < 0)
        bridge[0] = '\0';
    rc = run_hook(hook, name, bridge);
    if (rc != 0)
        rc = bus_write(b, "its interface has no bridge", "backend/vif/%u/%u/hotplug-error", domain,
                       handle);
    rc = bus_write(b, rc == 0 ? "connected" : "error", "backend/vif/%u/%u/hotplug-status", domain,
                   handle);
    if (rc < 0 && rc != -ENOENT)
        fprintf(stderr, "%s: hotplug-status cannot be written: %s\n", name, strerror(-rc));
}

static void all_interfaces(struct bus *b, const char *hook)
{
    DIR *dir = opendir(SYS "/class/net");
    struct dirent *at;

    while (dir && (at = readdir(dir)) != NULL)
        if (at->d_name[0] != '.')
            interface_came(b, hook, at->d_name);
    if (dir)
        (void)closedir(dir);
}

static void uevent_came(struct bus *b, int fd, const char *hook)
{
    struct uevent e;
    int rc = uevent_take(fd, &e);

    if (rc == -ENOBUFS) {
        all_interfaces(b, hook);
        b->changed = true;
    }
    if (rc <= 0)
        return;
    /* A partition's table may be read again: any change of disks counts. */
    if (strcmp(e.subsystem, "block") == 0)
        b->changed = true;
    if (e.added && strcmp(e.subsystem, "net") == 0 && e.interface[0])
        interface_came(b, hook, e.interface);
}

static int serve(struct bus *b, int events, const char *hook)
{
    struct pollfd wait[] = {{.fd = b->fd, .events = POLLIN}, {.fd = events, .events = POLLIN}};

    bool detaching = false;
    int ready;

    while (b->broken == 0) {
        if (b->changed) {
            b->changed = false;
            vbd_scan(b, SYS);
            detaching = detach_step(b, SYS);
            continue;
        }
        ready = poll(wait, 2, detaching ? DETACH_LOOK_MS : -1);
        if (ready < 0 && errno != EINTR)
            return -errno;
        if (ready == 0)
            detaching = detach_step(b, SYS);
        if (wait[0].revents)
            (void)!bus_take(b); /* an error stays in b->broken */
        if (wait[1].revents)
            uevent_came(b, events, hook);
    }
    return b->broken;
}

int main(int argc, char **argv)
{
    static struct bus bus;
    int events = uevent_open();
    int fd = open("/dev/xen/xenbus", O_RDWR | O_CLOEXEC);
    int rc;

    if (argc != 2)
        return 2;
    if (events < 0 || fd < 0) {
        fprintf(stderr, "no store or no uevents: %s\n", strerror(fd < 0 ? errno : -events));
        return 1;
    }
    bus_init(&bus, fd);
    all_interfaces(&bus, argv[1]);
    rc = bus_watch(&bus, "backend");
    if (rc == 0)
        rc = detach_offer(&bus, SYS);
    if (rc == 0)
        rc = bus_write(&bus, "1", "backend-ready");
    if (rc == 0)
        rc = serve(&bus, events, argv[1]);
    fprintf(stderr, "linux-backend: %s\n", strerror(-rc));
    return 1;
}
