/* Writes a domain's nodes: its home, its devices on both sides, its place at the console. */
#include "nodes.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <abi/addr.h>
#include <abi/hvm.h>
#include <abi/layout.h>
#include <abi/store.h>
#include <hcall.h>

#define HOME "/local/domain/%u"

/* Where a stock Linux back end has what it may run for a device. */
#define SCRIPTS "/etc/xen/scripts/"

/* One device, for both of its directories. */
struct device {
    const struct config_served *served;
    domid_t front;
    domid_t back;
    bool again; /* only for the backend: the guest has its own */
    char front_path[NODES_PATH_MAX];
    char back_path[NODES_PATH_MAX];
};

/* How the store calls a class of devices. */
static const char *const classes[] = {[CONFIG_DISK] = "vbd", [CONFIG_INTERFACE] = "vif"};

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

static int write_nodes(struct store_client *s, uint32_t tx, const char *path,
                       const struct store_pair *pairs, size_t count)
{
    return store_write_all(s, tx, pairs, count, "%s", path);
}

#define WRITE(s, tx, path, pairs)                                                                  \
    write_nodes(s, tx, path, pairs, sizeof(pairs) / sizeof((pairs)[0]))

static int write_disk(struct store_client *s, uint32_t tx, const struct device *d)
{
    const struct config_disk *disk = config_disk_of(d->served);
    char number[12];
    int rc;

    (void)snprintf(number, sizeof(number), "%u", d->served->number);
    const struct store_pair front[] = {{"virtual-device", number}, {"device-type", "disk"}};
    const struct store_pair back[] = {
        {"params", disk->source},    {"type", disk->is_file ? "file" : "phy"},
        {"script", SCRIPTS "block"}, {"mode", disk->readonly ? "r" : "w"},
        {"dev", disk->target},       {"device-type", "disk"},
        {"removable", "0"},          {"bootable", "1"},
    };

    rc = d->again ? 0 : WRITE(s, tx, d->front_path, front);
    return rc < 0 ? rc : WRITE(s, tx, d->back_path, back);
}

/* A list of pairs to be written; texts that are made for it stand in its own room. */
struct list {
    struct store_pair pairs[20];
    size_t count;
    char room[2048];
    size_t used;
};

static void add(struct list *list, const char *path, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* What is configured is bounded, so that all of it fits; a cut value would be refused there. */
static void add(struct list *list, const char *path, const char *format, ...)
{
    char *text = list->room + list->used;
    size_t left = sizeof(list->room) - list->used;
    va_list args;
    int len;

    va_start(args, format);
    len = vsnprintf(text, left, format, args);
    va_end(args);
    if (len < 0 || (size_t)len >= left ||
        list->count == sizeof(list->pairs) / sizeof(list->pairs[0]))
        return;
    list->used += (size_t)len + 1;
    list->pairs[list->count++] = (struct store_pair){path, text};
}

static void add_vlan(struct list *list, const struct config_vlan *vlan)
{
    char text[CONFIG_TAGS_MAX * 5 + 32];
    size_t used = 0;

    if (vlan->count == 0)
        return;
    if (!vlan->trunk) {
        add(list, "vlan", "%u", vlan->tags[0]);
        return;
    }
    for (size_t i = 0; i < vlan->count && used < sizeof(text); i++)
        used +=
            (size_t)snprintf(text + used, sizeof(text) - used, "%s%u", i ? "," : "", vlan->tags[i]);
    if (vlan->native)
        add(list, "vlan", "trunk %s native %u", text, vlan->native);
    else
        add(list, "vlan", "trunk %s", text);
}

static void add_filter(struct list *list, const struct config_interface *interface)
{
    char text[CONFIG_ADDRESSES_MAX * 46] = "";
    size_t used = 0;

    if (interface->filter == CONFIG_CLEAN_TRAFFIC)
        add(list, "filter", "no-mac-spoofing no-ip-spoofing no-arp-spoofing");
    else if (interface->filter != CONFIG_NO_FILTER)
        add(list, "filter", "%s", config_filter_name(interface->filter));
    for (size_t i = 0; i < interface->address_count && used < sizeof(text); i++)
        used += (size_t)snprintf(text + used, sizeof(text) - used, "%s%s", i ? " " : "",
                                 interface->addresses[i].text);
    if (interface->address_count > 0)
        add(list, "ip", "%s", text);
}

static void add_rate(struct list *list, const char *path, const struct config_rate *rate)
{
    if (rate->average)
        add(list, path, "%u %u %u", rate->average, rate->peak, rate->burst);
}

/* What our net domains honour, and what stock back ends do. */
static void add_rules(struct list *list, const struct config_interface *interface)
{
    /* Xen's limit counts what the guest sends in windows of 50 ms. */
    const uint64_t window = (uint64_t)interface->outbound.average * 1024 / 20;

    add_vlan(list, &interface->vlan);
    add_filter(list, interface);
    add_rate(list, "rate-in", &interface->inbound);
    add_rate(list, "rate-out", &interface->outbound);
    if (interface->isolated)
        add(list, "isolated", "1");
    if (interface->mtu)
        add(list, "mtu", "%u", interface->mtu);
    if (interface->target)
        add(list, "vifname", "%s", interface->target);
    if (interface->outbound.average && !config_is_net(interface->served.backend))
        add(list, "rate", "%llu,50000", (unsigned long long)window);
}

static int write_interface(struct store_client *s, uint32_t tx, const struct device *d)
{
    const struct config_interface *interface = config_interface_of(d->served);
    const uint8_t *m = interface->mac;
    static struct list front;
    static struct list back;
    char mac[18];
    int rc;

    front.count = front.used = back.count = back.used = 0;
    (void)snprintf(mac, sizeof(mac), "%02x:%02x:%02x:%02x:%02x:%02x", m[0], m[1], m[2], m[3], m[4],
                   m[5]);
    add(&front, "handle", "%u", d->served->number);
    add(&front, "mac", "%s", mac);
    add(&front, "mtu", "%u", interface->mtu ? interface->mtu : 1500);
    add(&front, "trusted", "1");
    add(&back, "handle", "%u", d->served->number);
    add(&back, "mac", "%s", mac);
    add(&back, "bridge", "%s", interface->bridge);
    add(&back, "script", SCRIPTS "vif-bridge");
    add(&back, "type", "vif");
    add_rules(&back, interface);
    rc = d->again ? 0 : write_nodes(s, tx, d->front_path, front.pairs, front.count);
    return rc < 0 ? rc : write_nodes(s, tx, d->back_path, back.pairs, back.count);
}

/* What every class has; `state` comes last, for who looks at it first. */
static int write_device(struct store_client *s, uint32_t tx, void *context)
{
    const struct device *d = context;
    char front_id[8];
    char back_id[8];
    int rc;

    (void)snprintf(front_id, sizeof(front_id), "%u", d->front);
    (void)snprintf(back_id, sizeof(back_id), "%u", d->back);
    const struct store_pair front[] = {
        {"backend", d->back_path}, {"backend-id", back_id}, {"state", "1"}};
    const struct store_pair back[] = {
        {"frontend", d->front_path}, {"frontend-id", front_id}, {"online", "1"}, {"state", "1"}};

    rc = d->again ? 0 : make_directory(s, tx, d->front, d->back, d->front_path);
    if (rc >= 0)
        rc = make_directory(s, tx, d->back, d->front, d->back_path);
    if (rc >= 0)
        rc = d->served->class == CONFIG_DISK ? write_disk(s, tx, d) : write_interface(s, tx, d);
    if (rc >= 0 && !d->again)
        rc = WRITE(s, tx, d->front_path, front);
    if (rc >= 0)
        rc = WRITE(s, tx, d->back_path, back);
    return rc < 0 ? rc : 0;
}

/* The backend watches its directory: it must see a device whole or not at all. */
static int put_device(struct store_client *s, struct device *d)
{
    nodes_front_path(d->served, d->front, d->front_path);
    nodes_backend_path(d->served, d->front, d->back, d->back_path);
    return store_transaction(s, write_device, d);
}

static int write_devices(struct store_client *s, const struct build *b)
{
    int rc = 0;

    for (size_t i = 0; rc >= 0 && i < config_served_count(b->order.config); i++) {
        struct device d = {.served = config_served(b->order.config, i),
                           .front = b->domid,
                           .back = b->order.backends[i]};

        rc = put_device(s, &d);
    }
    return rc;
}

/* Directories and nodes that the domain itself writes to. Any domain may serve others. */
static const char *const own_nodes[] = {"control", "data",    "error",         "attr",
                                        "drivers", "feature", "backend-ready", "backend"};

static int write_own(struct store_client *s, const struct build *b, const char *home)
{
    char path[96];
    int rc = 0;

    for (size_t i = 0; rc >= 0 && i < sizeof(own_nodes) / sizeof(own_nodes[0]); i++) {
        (void)snprintf(path, sizeof(path), "%s/%s", home, own_nodes[i]);
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
        rc = write_devices(s, b);
    if (rc >= 0)
        rc = store_introduce(s, b->domid, LAYOUT_STORE_PAGE >> PAGE_SHIFT, b->store_port,
                             b->order.serves);
    if (rc >= 0 && b->order.console != DOMID_INVALID)
        rc = store_write_number(s, STORE_TX_NONE, b->console_port, HOME "/client/%u",
                                b->order.console, b->domid);
    return rc < 0 ? rc : 0;
}

int nodes_renew(struct store_client *s, const struct build_order *order, domid_t domid)
{
    struct xen_hvm_param port = {.domid = domid, .index = HVM_PARAM_STORE_EVTCHN};
    int rc = hcall_hvm_get_param(&port);

    if (rc >= 0)
        rc = store_write(s, STORE_TX_NONE, "0", HOME "/backend-ready", domid);
    if (rc >= 0)
        rc = store_introduce(s, domid, LAYOUT_STORE_PAGE >> PAGE_SHIFT, (evtchn_port_t)port.value,
                             order->serves);
    return rc < 0 ? rc : 0;
}

int nodes_restore(struct store_client *s, const struct config_served *served, domid_t front,
                  domid_t back)
{
    struct device d = {.served = served, .front = front, .back = back, .again = true};

    return put_device(s, &d);
}

const char *nodes_front_path(const struct config_served *served, domid_t front,
                             char path[NODES_PATH_MAX])
{
    (void)snprintf(path, NODES_PATH_MAX, HOME "/device/%s/%u", front, classes[served->class],
                   served->number);
    return path;
}

const char *nodes_backend_path(const struct config_served *served, domid_t front, domid_t back,
                               char path[NODES_PATH_MAX])
{
    (void)snprintf(path, NODES_PATH_MAX, HOME "/backend/%s/%u/%u", back, classes[served->class],
                   front, served->number);
    return path;
}

/* A backend that has let go already does not say so again. */
static int close_state(struct store_client *s, uint32_t tx, void *context)
{
    const char *path = context;
    uint64_t state;
    int rc = store_read_number(s, tx, &state, "%s/state", path);

    return rc < 0 || state == XenbusStateClosed ? rc : store_write(s, tx, "5", "%s/state", path);
}

void nodes_close(struct store_client *s, const struct config_served *served, domid_t front,
                 domid_t back)
{
    char path[NODES_PATH_MAX];

    nodes_backend_path(served, front, back, path);
    /* All or none may work: the backend's directory is in its own hands. */
    (void)!store_write(s, STORE_TX_NONE, "0", "%s/online", path);
    (void)!store_transaction(s, close_state, path);
    /* The stock ones look at this alone, and the guest cannot say it any more. */
    (void)!store_write(s, STORE_TX_NONE, "6", HOME "/device/%s/%u/state", front,
                       classes[served->class], served->number);
}

void nodes_remove(struct store_client *s, const struct build_order *order, domid_t domid)
{
    for (size_t i = 0; i < config_served_count(order->config); i++)
        (void)!store_remove(s, STORE_TX_NONE, HOME "/backend/%s/%u", order->backends[i],
                            classes[config_served(order->config, i)->class], domid);
    if (order->console != DOMID_INVALID)
        (void)!store_remove(s, STORE_TX_NONE, HOME "/client/%u", order->console, domid);
    (void)!store_release(s, domid);
    (void)!store_remove(s, STORE_TX_NONE, HOME, domid);
}
