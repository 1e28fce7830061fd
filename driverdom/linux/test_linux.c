/* The program over a real store's core, a pretend /sys and messages of a kernel. */
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <store_talk.h>

#include "bus.h"
#include "check.h"
#include "detach.h"
#include "device.h"
#include "uevent.h"
#include "vbd.h"

#define HOME   "/local/domain/3/"
#define DRIVER 3

/* ---- a store behind a socket, as /dev/xen/xenbus would be -------------------------------------
 */

static struct store_server *store;
static struct store_domain *control;
static struct store_domain *driver;
static struct bus bus;
static int far_end;
static pthread_t thread;

static bool send_all(const struct server_message *m)
{
    return send(far_end, &m->header, sizeof(m->header), MSG_NOSIGNAL) > 0 &&
           (m->header.len == 0 || send(far_end, m->payload, m->header.len, MSG_NOSIGNAL) > 0);
}

/* What fired comes before the answer, so that a client meets both. */
static void *serve(void *unused)
{
    static struct server_message answer;
    static struct server_message event;
    struct xsd_sockmsg header;
    char payload[STORE_PAYLOAD_MAX];

    (void)unused;
    while (recv(far_end, &header, sizeof(header), MSG_WAITALL) == sizeof(header)) {
        if (header.len > 0 &&
            recv(far_end, payload, header.len, MSG_WAITALL) != (ssize_t)header.len)
            break;
        (void)server_request(store, driver, &header, payload, &answer);
        while (server_event(store, driver, &event))
            (void)send_all(&event);
        (void)send_all(&answer);
    }
    return NULL;
}

static void open_store(void)
{
    int ends[2];

    store = server_create(&store_limits_default);
    control = server_introduce(store, 0, true);
    driver = server_introduce(store, DRIVER, false);
    EXPECT(talk(store, control, XS_MKDIR, HOME "backend|")[0] == 'O');
    EXPECT(talk(store, control, XS_SET_PERMS, "/local/domain/3|n3|")[0] == 'O');
    EXPECT(talk(store, control, XS_SET_PERMS, HOME "backend|n3|")[0] == 'O');
    EXPECT(talk(store, control, XS_MKDIR, HOME "control|")[0] == 'O');
    EXPECT(talk(store, control, XS_SET_PERMS, HOME "control|n3|")[0] == 'O');
    EXPECT(socketpair(AF_UNIX, SOCK_STREAM, 0, ends) == 0);
    bus_init(&bus, ends[0]);
    far_end = ends[1];
    EXPECT(pthread_create(&thread, NULL, serve, NULL) == 0);
}

static void close_store(void)
{
    close(bus.fd);
    (void)pthread_join(thread, NULL);
    close(far_end);
    server_destroy(store);
}

static const char *node(const char *path)
{
    static char value[256];
    int rc = bus_read(&bus, value, sizeof(value), "%s", path);

    return rc < 0 ? "" : value;
}

static void put(const char *path, const char *value)
{
    EXPECT(bus_write(&bus, value, "%s", path) == 0);
}

/* ---- a pretend /sys ----------------------------------------------------------------------------
 */

static char sys[64];

static void make_entry(const char *name, const char *disk, unsigned minor, const char *label)
{
    char path[256];
    char target[512];
    FILE *f;

    (void)snprintf(path, sizeof(path), "%s/devices/%s%s%s", sys, disk ? disk : "", disk ? "/" : "",
                   name);
    EXPECT(mkdir(path, 0755) == 0);
    (void)snprintf(target, sizeof(target), "%s/uevent", path);
    f = fopen(target, "w");
    EXPECT(f != NULL);
    fprintf(f, "MAJOR=259\nMINOR=%u\nDEVNAME=%s\n", minor, name);
    if (label)
        fprintf(f, "PARTNAME=%s\n", label);
    fclose(f);
    if (disk) {
        (void)snprintf(target, sizeof(target), "%s/partition", path);
        fclose(fopen(target, "w"));
    }
    (void)snprintf(target, sizeof(target), "../../devices/%s%s%s", disk ? disk : "",
                   disk ? "/" : "", name);
    (void)snprintf(path, sizeof(path), "%s/class/block/%s", sys, name);
    EXPECT(symlink(target, path) == 0);
}

static void make_sys(void)
{
    char path[128];

    (void)snprintf(sys, sizeof(sys), "/tmp/test-linux-XXXXXX");
    EXPECT(mkdtemp(sys) != NULL);
    for (unsigned i = 0; i < 3; i++) {
        static const char *const folders[] = {"devices", "class", "class/block"};

        (void)snprintf(path, sizeof(path), "%s/%s", sys, folders[i]);
        EXPECT(mkdir(path, 0755) == 0);
    }
    make_entry("nvme0n1", NULL, 0, NULL);
    make_entry("nvme0n1p1", "nvme0n1", 1, "root");
    make_entry("nvme0n1p2", "nvme0n1", 2, "data");
}

static void remove_sys(void)
{
    char command[128];

    (void)snprintf(command, sizeof(command), "rm -rf '%s'", sys);
    EXPECT(system(command) == 0);
}

/* ---- tests -------------------------------------------------------------------------------------
 */

TEST(requests_and_events_between)
{
    char text[16];

    open_store();
    EXPECT(bus_watch(&bus, "backend") == 0);
    bus.changed = false;
    put("backend/x", "one");
    EXPECT(bus.changed);
    EXPECT(strcmp(node("backend/x"), "one") == 0);
    EXPECT(bus_read(&bus, text, sizeof(text), "backend/y") == -ENOENT);
    EXPECT(bus_read(&bus, text, 3, "backend/x") == -E2BIG);
    EXPECT(bus_read(&bus, text, sizeof(text), "/local/domain/9/secret") < 0);
    EXPECT(bus_list(&bus, text, sizeof(text), "backend") == 2 && strcmp(text, "x") == 0);
    EXPECT(bus.broken == 0);
    close_store();
}

TEST(who_lies_is_left)
{
    struct xsd_sockmsg header = {.type = XS_READ, .req_id = 7, .len = 0};
    char text[16];
    int ends[2];

    for (unsigned i = 0; i < 3; i++) {
        EXPECT(socketpair(AF_UNIX, SOCK_STREAM, 0, ends) == 0);
        bus_init(&bus, ends[0]);
        header.req_id = i == 0 ? 7 : 1;
        header.len = i == 1 ? XENSTORE_PAYLOAD_MAX + 1 : 0;
        header.type = i == 2 ? XS_WRITE : XS_READ;
        EXPECT(send(ends[1], &header, sizeof(header), 0) == sizeof(header));
        EXPECT(bus_read(&bus, text, sizeof(text), "a") == -EPROTO && bus.broken == -EPROTO);
        EXPECT(bus_read(&bus, text, sizeof(text), "a") == -EPROTO);
        close(ends[0]);
        close(ends[1]);
    }
}

TEST(devices_by_name_and_label)
{
    struct device whole;
    struct device root;
    struct device data;

    make_sys();
    EXPECT(device_find(sys, "/dev/nvme0n1", &whole) == 0 && whole.whole && whole.major == 259);
    EXPECT(device_find(sys, "/dev/nvme0n1p1", &root) == 0 && !root.whole && root.minor == 1);
    EXPECT(device_find(sys, "/dev/disk/by-partlabel/data", &data) == 0 && data.minor == 2);
    EXPECT(device_overlaps(&whole, &data) && device_overlaps(&root, &root));
    EXPECT(!device_overlaps(&root, &data));
    EXPECT(device_find(sys, "/dev/sda", &data) == -ENOENT);
    EXPECT(device_find(sys, "/dev/disk/by-partlabel/none", &data) == -ENOENT);
    EXPECT(device_find(sys, "/dev/../etc", &data) == -EINVAL);
    EXPECT(device_find(sys, "nvme0n1", &data) == -EINVAL);
    make_entry("nvme0n1p3", "nvme0n1", 3, "data");
    EXPECT(device_find(sys, "/dev/disk/by-partlabel/data", &data) == -EEXIST);
    remove_sys();
}

static void describe(const char *at, const char *params, const char *mode)
{
    char path[128];

    (void)snprintf(path, sizeof(path), "backend/vbd/%s/params", at);
    put(path, params);
    (void)snprintf(path, sizeof(path), "backend/vbd/%s/mode", at);
    put(path, mode);
}

TEST(disks_are_opened_when_they_come)
{
    make_sys();
    open_store();
    vbd_scan(&bus, sys);
    describe("5/51712", "/dev/disk/by-partlabel/root", "w");
    describe("5/51728", "/dev/sda", "w");
    put("backend/vbd/5/51744/params", "/dev/nvme0n1p2"); /* half described */
    describe("5x/1", "/dev/nvme0n1p2", "w");
    vbd_scan(&bus, sys);
    EXPECT(strcmp(node("backend/vbd/5/51712/physical-device"), "103:1") == 0);
    EXPECT(strcmp(node("backend/vbd/5/51712/hotplug-status"), "connected") == 0);
    EXPECT(strcmp(node("backend/vbd/5/51728/hotplug-status"), "") == 0);
    EXPECT(strcmp(node("backend/vbd/5/51744/physical-device"), "") == 0);
    EXPECT(strcmp(node("backend/vbd/5x/1/physical-device"), "") == 0);
    make_entry("sda", NULL, 4, NULL);
    vbd_scan(&bus, sys);
    EXPECT(strcmp(node("backend/vbd/5/51728/physical-device"), "103:4") == 0);
    close_store();
    remove_sys();
}

TEST(one_writer)
{
    make_sys();
    open_store();
    describe("5/51712", "/dev/nvme0n1p1", "w");
    vbd_scan(&bus, sys);
    describe("6/51712", "/dev/nvme0n1", "r");
    describe("6/51728", "/dev/nvme0n1p2", "r");
    describe("7/51712", "/dev/nvme0n1p2", "r");
    describe("7/51728", "/dev/mapper/x", "r");
    vbd_scan(&bus, sys);
    EXPECT(strcmp(node("backend/vbd/6/51712/hotplug-status"), "error") == 0);
    EXPECT(strcmp(node("backend/vbd/6/51712/hotplug-error"),
                  "/dev/nvme0n1 is in use by domain 5") == 0);
    EXPECT(strcmp(node("backend/vbd/6/51712/physical-device"), "") == 0);
    EXPECT(strcmp(node("backend/vbd/6/51728/hotplug-status"), "connected") == 0);
    EXPECT(strcmp(node("backend/vbd/7/51712/hotplug-status"), "connected") == 0);
    EXPECT(strcmp(node("backend/vbd/7/51728/hotplug-status"), "error") == 0);
    close_store();
    remove_sys();
}

/* ---- letting go --------------------------------------------------------------------------------
 */

static const char *sys_path(const char *file)
{
    static char path[256];

    (void)snprintf(path, sizeof(path), "%s/%s", sys, file);
    return path;
}

static void sys_folder(const char *folder)
{
    char command[300];

    (void)snprintf(command, sizeof(command), "mkdir -p '%s'", sys_path(folder));
    EXPECT(system(command) == 0);
}

static void sys_put(const char *file, const char *text)
{
    FILE *f = fopen(sys_path(file), "w");

    EXPECT(f != NULL);
    fputs(text, f);
    fclose(f);
}

/* What was last written there; then it is empty. */
static const char *sys_take(const char *file)
{
    static char text[64];
    FILE *f = fopen(sys_path(file), "r");

    memset(text, 0, sizeof(text));
    EXPECT(f && fread(text, 1, sizeof(text) - 1, f) < sizeof(text));
    fclose(f);
    sys_put(file, "");
    return text;
}

/* A kernel with a disk and an interface of domain 5. */
static void make_backends(void)
{
    make_sys();
    sys_folder("bus/xen-backend/devices/vbd-5-51712");
    sys_folder("bus/xen-backend/devices/vif-5-0");
    sys_folder("bus/xen-backend/drivers/vbd/vbd-5-51712");
    sys_folder("bus/xen-backend/drivers/vif/vif-5-0");
    sys_folder("bus/xen-backend/drivers/vif/module");
    sys_put("bus/xen-backend/drivers/vbd/unbind", "");
    sys_put("bus/xen-backend/drivers/vif/unbind", "");
    sys_put("bus/xen-backend/drivers/vbd/bind", "");
    sys_put("bus/xen-backend/drivers/vif/bind", "");
    sys_folder("module/xen_blkback");
    sys_put("module/xen_blkback/refcnt", "2\n");
}

/* The kernel has taken its driver off a device. */
static void unbound(const char *kind, const char *name)
{
    char file[96];

    (void)snprintf(file, sizeof(file), "bus/xen-backend/drivers/%s/unbind", kind);
    EXPECT(strcmp(sys_take(file), name) == 0);
    (void)snprintf(file, sizeof(file), "bus/xen-backend/drivers/%s/%s", kind, name);
    EXPECT(rmdir(sys_path(file)) == 0);
}

TEST(letting_go_waits_for_the_last_answer)
{
    make_backends();
    open_store();
    EXPECT(detach_offer(&bus, sys) == 0 && strcmp(node("control/feature-detach"), "1") == 0);
    bus.changed = false;
    EXPECT(!detach_step(&bus, sys));
    EXPECT(strcmp(sys_take("bus/xen-backend/drivers/vbd/unbind"), "") == 0);
    put("control/detach", "1");
    EXPECT(bus.changed && detach_step(&bus, sys));
    unbound("vbd", "vbd-5-51712");
    unbound("vif", "vif-5-0");
    EXPECT(detach_step(&bus, sys) && strcmp(node("control/detached"), "") == 0);
    sys_put("module/xen_blkback/refcnt", "0\n");
    put("control/detach", "7");
    EXPECT(!detach_step(&bus, sys) && strcmp(node("control/detached"), "7") == 0);
    /* It was thought better of: all that is there is taken up again. */
    put("control/detach", "0");
    EXPECT(!detach_step(&bus, sys) && strcmp(node("control/detached"), "0") == 0);
    EXPECT(strcmp(sys_take("bus/xen-backend/drivers/vbd/bind"), "vbd-5-51712") == 0);
    EXPECT(strcmp(sys_take("bus/xen-backend/drivers/vif/bind"), "vif-5-0") == 0);
    EXPECT(!detach_step(&bus, sys));
    EXPECT(strcmp(sys_take("bus/xen-backend/drivers/vif/bind"), "") == 0);
    close_store();
    remove_sys();
}

/* A kernel with xen-blkback built in does not tell when it has answered. */
TEST(who_cannot_tell_does_not_offer)
{
    make_backends();
    open_store();
    EXPECT(unlink(sys_path("module/xen_blkback/refcnt")) == 0);
    EXPECT(detach_offer(&bus, sys) == 0 && strcmp(node("control/feature-detach"), "") == 0);
    EXPECT(rmdir(sys_path("module/xen_blkback")) == 0);
    EXPECT(detach_offer(&bus, sys) == 0 && strcmp(node("control/feature-detach"), "1") == 0);
    close_store();
    remove_sys();
}

TEST(uevents)
{
    static const char text[] = "add@/devices/x\0ACTION=add\0SUBSYSTEM=net\0INTERFACE=vif5.0";
    static const char long_one[] = "x\0ACTION=remove\0INTERFACE=0123456789abcdef";
    struct uevent e;
    unsigned domain;
    unsigned handle;

    uevent_parse(text, sizeof(text), &e);
    EXPECT(e.added && strcmp(e.subsystem, "net") == 0 && strcmp(e.interface, "vif5.0") == 0);
    uevent_parse(long_one, sizeof(long_one), &e);
    EXPECT(!e.added && e.subsystem[0] == 0 && e.interface[0] == 0);
    EXPECT(uevent_vif("vif5.0", &domain, &handle) && domain == 5 && handle == 0);
    EXPECT(!uevent_vif("vif5.0-q0", &domain, &handle) && !uevent_vif("eth0", &domain, &handle));
    EXPECT(!uevent_vif("vif+5.0", &domain, &handle) && !uevent_vif("vif05.0", &domain, &handle));
}
