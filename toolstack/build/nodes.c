/* Writes a domain's nodes: its home, its disks on both sides, its place at the console. */
#include "nodes.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <abi/addr.h>
#include <abi/layout.h>
#include <abi/store.h>

#define HOME "/local/domain/%u"

/* One disk, for both of its directories. */
struct disk_nodes {
    const struct config_disk *disk;
    domid_t front;
    domid_t back;
};

/*
 * Who may do what with a directory and, by inheritance, with what is made in it
 * later: the owner everything, one other domain reads. The control domain needs
 * no entry.
 */
static int make_directory(struct store_client *s, uint32_t tx, domid_t owner, domid_t reader,
                          const char *path)
{
    struct store_perm perms[] = {{owner, 'n'}, {reader, 'r'}};
    int rc = store_mkdir(s, tx, "%s", path);

    return rc < 0 ? rc : store_set_perms(s, tx, perms, reader == owner ? 1 : 2, "%s", path);
}

static int write_disk(struct store_client *s, uint32_t tx, void *context)
{
    const struct disk_nodes *d = context;
    char front[96];
    char back[96];
    char front_id[8];
    char back_id[8];
    char number[12];
    int rc;

    (void)snprintf(front, sizeof(front), HOME "/device/vbd/%u", d->front, d->disk->number);
    (void)snprintf(back, sizeof(back), HOME "/backend/vbd/%u/%u", d->back, d->front,
                   d->disk->number);
    (void)snprintf(front_id, sizeof(front_id), "%u", d->front);
    (void)snprintf(back_id, sizeof(back_id), "%u", d->back);
    (void)snprintf(number, sizeof(number), "%u", d->disk->number);
    const struct store_pair front_nodes[] = {
        {"backend", back},       {"backend-id", back_id}, {"virtual-device", number},
        {"device-type", "disk"}, {"state", "1"},
    };
    const struct store_pair back_nodes[] = {
        {"frontend", front},
        {"frontend-id", front_id},
        {"params", d->disk->source},
        {"type", "phy"},
        {"mode", d->disk->readonly ? "r" : "w"},
        {"dev", d->disk->target},
        {"device-type", "disk"},
        {"removable", "0"},
        {"bootable", "1"},
        {"online", "1"},
        {"state", "1"},
    };

    rc = make_directory(s, tx, d->front, d->back, front);
    if (rc >= 0)
        rc = make_directory(s, tx, d->back, d->front, back);
    if (rc >= 0)
        rc = store_write_all(s, tx, front_nodes, sizeof(front_nodes) / sizeof(front_nodes[0]), "%s",
                             front);
    if (rc >= 0)
        rc = store_write_all(s, tx, back_nodes, sizeof(back_nodes) / sizeof(back_nodes[0]), "%s",
                             back);
    return rc < 0 ? rc : 0;
}

/* The backend watches its directory: it must see a disk whole or not at all. */
static int write_disks(struct store_client *s, const struct build *b)
{
    int rc = 0;

    for (size_t i = 0; rc >= 0 && i < b->order.config->disk_count; i++) {
        struct disk_nodes d = {&b->order.config->disks[i], b->domid, b->order.backends[i]};

        rc = store_transaction(s, write_disk, &d);
    }
    return rc;
}

/* Directories and nodes that the domain itself writes to. */
static const char *const own_nodes[] = {"control", "data",    "error",        "attr",
                                        "drivers", "feature", "backend-ready"};

static int write_own(struct store_client *s, const struct build *b, const char *home)
{
    char path[96];
    int rc = 0;

    for (size_t i = 0; rc >= 0 && i < sizeof(own_nodes) / sizeof(own_nodes[0]); i++) {
        (void)snprintf(path, sizeof(path), "%s/%s", home, own_nodes[i]);
        rc = make_directory(s, STORE_TX_NONE, b->domid, b->domid, path);
    }
    /* A driver domain's backends lie in a directory of its own. */
    if (rc >= 0 && config_is_driver(b->order.config)) {
        (void)snprintf(path, sizeof(path), "%s/backend", home);
        rc = make_directory(s, STORE_TX_NONE, b->domid, b->domid, path);
    }
    return rc;
}

static int write_home(struct store_client *s, const struct build *b)
{
    const struct domain_config *c = b->order.config;
    char home[32];
    char numbers[6][24];
    const unsigned long long values[6] = {b->domid,
                                          c->current_memory_bytes / 1024,
                                          c->memory_bytes / 1024,
                                          LAYOUT_STORE_PAGE >> PAGE_SHIFT,
                                          b->store_port,
                                          LAYOUT_CONSOLE_PAGE >> PAGE_SHIFT};
    char console_port[24];
    int rc;

    (void)snprintf(home, sizeof(home), HOME, b->domid);
    (void)snprintf(console_port, sizeof(console_port), "%u", b->console_port);
    for (unsigned i = 0; i < 6; i++)
        (void)snprintf(numbers[i], sizeof(numbers[i]), "%llu", values[i]);
    const struct store_pair pairs[] = {
        {"name", c->name},
        {"domid", numbers[0]},
        {"memory/target", numbers[1]},
        {"memory/static-max", numbers[2]},
        {"memory/videoram", "0"},
        {"store/ring-ref", numbers[3]},
        {"store/port", numbers[4]},
        {"control/platform-feature-xs_reset_watches", "1"},
        {"control/platform-feature-multiprocessor-suspend", "1"},
        /* The last three only for who has a console ring. */
        {"console/ring-ref", numbers[5]},
        {"console/port", console_port},
        {"console/type", "xenconsoled"},
    };
    size_t count = sizeof(pairs) / sizeof(pairs[0]) - (b->order.console == DOMID_INVALID ? 3 : 0);

    rc = make_directory(s, STORE_TX_NONE, 0, b->domid, home);
    if (rc >= 0)
        rc = write_own(s, b, home);
    if (rc >= 0)
        rc = store_write_all(s, STORE_TX_NONE, pairs, count, "%s", home);
    for (unsigned i = 0; rc >= 0 && i < c->vcpus; i++)
        rc = store_write(s, STORE_TX_NONE, "online", "%s/cpu/%u/availability", home, i);
    return rc;
}

int nodes_write(struct store_client *s, const struct build *b)
{
    int rc = write_home(s, b);

    if (rc >= 0)
        rc = write_disks(s, b);
    if (rc >= 0)
        rc = store_introduce(s, b->domid, LAYOUT_STORE_PAGE >> PAGE_SHIFT, b->store_port);
    if (rc >= 0 && b->order.console != DOMID_INVALID)
        rc = store_write_number(s, STORE_TX_NONE, b->console_port, HOME "/client/%u",
                                b->order.console, b->domid);
    return rc < 0 ? rc : 0;
}

void nodes_close_disk(struct store_client *s, domid_t domid, domid_t backend, uint32_t number)
{
    /* Both or none may work: the backend's directory is in its own hands. */
    (void)!store_write(s, STORE_TX_NONE, "0", HOME "/backend/vbd/%u/%u/online", backend, domid,
                       number);
    (void)!store_write(s, STORE_TX_NONE, "5", HOME "/backend/vbd/%u/%u/state", backend, domid,
                       number);
}

void nodes_remove(struct store_client *s, const struct build_order *order, domid_t domid)
{
    for (size_t i = 0; i < order->config->disk_count; i++)
        (void)!store_remove(s, STORE_TX_NONE, HOME "/backend/vbd/%u", order->backends[i], domid);
    if (order->console != DOMID_INVALID)
        (void)!store_remove(s, STORE_TX_NONE, HOME "/client/%u", order->console, domid);
    (void)!store_release(s, domid);
    (void)!store_remove(s, STORE_TX_NONE, HOME, domid);
}
