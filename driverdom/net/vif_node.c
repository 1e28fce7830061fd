/* The nodes of one interface: its rules, what it offers, what its front end asks for. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <abi/offer.h>
#include <rt/log.h>

#include "vif.h"

#define COUNT(a)     (sizeof(a) / sizeof((a)[0]))
#define VALUE_LEN    512u
#define FEATURES_MAX 24u
#define MTU_LEAST    68u
#define MTU_MOST     65521u

/* ---- rules ----------------------------------------------------------------------------------- */

static int read_mac(struct vif *d, const char *text)
{
    return switch_config_mac(&d->config, text);
}

static int read_bridge(struct vif *d, const char *text)
{
    int len = snprintf(d->bridge_name, sizeof(d->bridge_name), "%s", text);

    return len > 0 && (size_t)len < sizeof(d->bridge_name) ? 0 : -XEN_EINVAL;
}

static int read_mtu(struct vif *d, const char *text)
{
    const struct store_want want = {.value = (char *)(uintptr_t)text};
    uint32_t mtu;

    if (!bus_number(&want, 0, &mtu) || mtu < MTU_LEAST || mtu > MTU_MOST)
        return -XEN_EINVAL;
    d->mtu = (uint16_t)mtu;
    return 0;
}

static int read_vlan(struct vif *d, const char *text)
{
    return switch_config_vlan(&d->config, text);
}

static int read_filter(struct vif *d, const char *text)
{
    return switch_config_filter(&d->config, text);
}

static int read_ip(struct vif *d, const char *text)
{
    return switch_config_ip(&d->config, text);
}

static int read_isolated(struct vif *d, const char *text)
{
    d->config.isolated = strcmp(text, "1") == 0;
    return d->config.isolated || strcmp(text, "0") == 0 ? 0 : -XEN_EINVAL;
}

static int read_rate_in(struct vif *d, const char *text)
{
    return switch_config_rate(&d->config.rate_in, text);
}

static int read_rate_out(struct vif *d, const char *text)
{
    return switch_config_rate(&d->config.rate_out, text);
}

static const struct {
    const char *name;
    bool required;
    int (*read)(struct vif *d, const char *text);
} rules[] = {
    {"mac", true, read_mac},
    {"bridge", true, read_bridge},
    {"mtu", false, read_mtu},
    {"vlan", false, read_vlan},
    {"filter", false, read_filter},
    {"ip", false, read_ip},
    {"isolated", false, read_isolated},
    {"rate-in", false, read_rate_in},
    {"rate-out", false, read_rate_out},
};

int vif_check(struct bus_back *b, struct bus_device *d, char *why, size_t len)
{
    static char values[COUNT(rules)][VALUE_LEN];
    struct store_want wants[COUNT(rules)];
    struct vif *vif = vif_of(d);

    for (size_t i = 0; i < COUNT(rules); i++)
        wants[i] =
            (struct store_want){.path = rules[i].name, .value = values[i], .size = VALUE_LEN};
    if (store_read_all(b->store, STORE_TX_NONE, wants, COUNT(wants), BUS_BACK_PATH, b->kind->name,
                       d->guest, d->number) < 0)
        return -XEN_EIO;
    vif->config = (struct switch_port_config){0};
    vif->mtu = 1500;
    for (size_t i = 0; i < COUNT(rules); i++) {
        if (wants[i].result == -XEN_ENOENT && !rules[i].required)
            continue;
        if (wants[i].result < 0) {
            (void)snprintf(why, len, "its node %s cannot be read", rules[i].name);
            return -XEN_ENOENT;
        }
        if (rules[i].read(vif, values[i]) < 0) {
            (void)snprintf(why, len, "its node %s makes no sense: %s", rules[i].name, values[i]);
            return -XEN_EINVAL;
        }
    }
    bus_back_log(b, d, "%s, bridge %s", values[0], vif->bridge_name);
    return 0;
}

/* As net_back_features has it: a note is made before the program runs. */
OFFER("vif feature-rx-copy=1\n"
      "vif feature-sg=1\n"
      "vif feature-gso-tcpv4=1\n"
      "vif feature-gso-tcpv6=1\n"
      "vif feature-ipv6-csum-offload=1\n"
      "vif feature-split-event-channels=1\n"
      "vif feature-multicast-control=1\n"
      "vif feature-xdp-headroom=1\n"
      "vif multi-queue-max-queues=" OFFER_NUMBER(NET_QUEUES_MAX) "\n");

/* ---- what we offer --------------------------------------------------------------------------- */

int vif_offer(struct bus_back *b, struct bus_device *d)
{
    struct store_pair pairs[FEATURES_MAX];
    char values[FEATURES_MAX][12];
    size_t count = 0;

    for (const struct net_feature *f = net_back_features; f->name && count < FEATURES_MAX; f++) {
        (void)snprintf(values[count], sizeof(values[count]), "%u", f->value);
        pairs[count] = (struct store_pair){f->name, values[count]};
        count++;
    }
    return store_write_all(b->store, STORE_TX_NONE, pairs, count, BUS_BACK_PATH, b->kind->name,
                           d->guest, d->number);
}

/* ---- what the front end asks for ------------------------------------------------------------- */

enum ask {
    ASK_RX_COPY,
    ASK_RX_NOTIFY,
    ASK_SCATTER,
    ASK_GSO4,
    ASK_GSO6,
    ASK_NO_CHECKSUM,
    ASK_CHECKSUM6,
    ASK_MULTICAST,
    ASK_HEADROOM,
    ASK_QUEUES,
    ASKS
};

static const char *const asks[ASKS] = {
    [ASK_RX_COPY] = "request-rx-copy",
    [ASK_RX_NOTIFY] = "feature-rx-notify",
    [ASK_SCATTER] = "feature-sg",
    [ASK_GSO4] = "feature-gso-tcpv4",
    [ASK_GSO6] = "feature-gso-tcpv6",
    [ASK_NO_CHECKSUM] = "feature-no-csum-offload",
    [ASK_CHECKSUM6] = "feature-ipv6-csum-offload",
    [ASK_MULTICAST] = "request-multicast-control",
    [ASK_HEADROOM] = "xdp-headroom",
    [ASK_QUEUES] = "multi-queue-num-queues",
};

/* Where a queue is: the rings, and a port for each of them, or one for both. */
enum { TX_RING, RX_RING, TX_PORT, RX_PORT, PORT, NODES };

static const char *const nodes[NODES] = {"tx-ring-ref", "rx-ring-ref", "event-channel-tx",
                                         "event-channel-rx", "event-channel"};

/* Nodes that hold numbers, to be read with one round trip. */
struct numbers {
    uint32_t count;
    struct store_want wants[ASKS + NODES];
    char texts[ASKS + NODES][12];
    uint32_t values[ASKS + NODES]; /* 0: there is none */
};

static void numbers_add(struct numbers *n, const char *const *names, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++, n->count++)
        n->wants[n->count] = (struct store_want){
            .path = names[i], .value = n->texts[n->count], .size = sizeof(n->texts[0])};
}

static bool numbers_read(struct numbers *n, const struct bus_back *b, const char *directory)
{
    return store_read_all(b->store, STORE_TX_NONE, n->wants, n->count, "%s", directory) >= 0;
}

/* Takes so many of them. False: one is there and no number. */
static bool numbers_take(struct numbers *n, uint32_t at, uint32_t count)
{
    for (uint32_t i = at; i < at + count; i++)
        if (!bus_number(&n->wants[i], 0, &n->values[i]))
            return false;
    return true;
}

/* One queue's rings and ports, out of its nodes, which begin at `at`. */
static bool queue_take(struct numbers *n, uint32_t at, struct net_link *link, uint32_t queue)
{
    const struct store_want *wants = &n->wants[at];
    const uint32_t *values = &n->values[at];

    if (!numbers_take(n, at, NODES) || wants[TX_RING].result < 0 || wants[RX_RING].result < 0)
        return false;
    link->queues[queue].tx_ref = values[TX_RING];
    link->queues[queue].rx_ref = values[RX_RING];
    link->queues[queue].tx_port = values[wants[TX_PORT].result < 0 ? PORT : TX_PORT];
    link->queues[queue].rx_port = values[wants[TX_PORT].result < 0 ? PORT : RX_PORT];
    return wants[PORT].result >= 0 || (wants[TX_PORT].result >= 0 && wants[RX_PORT].result >= 0);
}

/* Of several queues each has a directory. */
static bool queue_read(const struct vifs *v, const struct vif *d, struct net_link *link,
                       uint32_t queue)
{
    struct numbers n = {.count = 0};
    char directory[96];
    int len = snprintf(directory, sizeof(directory), "%s/queue-%u", d->bus.front, queue);

    numbers_add(&n, nodes, NODES);
    return len > 0 && (size_t)len < sizeof(directory) && numbers_read(&n, &v->bus, directory) &&
           queue_take(&n, 0, link, queue);
}

int vif_link_read(struct vifs *v, const struct vif *d, struct net_link *link, const char **why)
{
    struct numbers n = {.count = 0};
    const uint32_t *values = n.values;

    *why = "has nodes that cannot be read";
    numbers_add(&n, asks, ASKS);
    numbers_add(&n, nodes, NODES);
    if (!numbers_read(&n, &v->bus, d->bus.front) || !numbers_take(&n, 0, ASKS))
        return -XEN_EINVAL;
    *link = (struct net_link){
        .peer = d->bus.guest,
        .rx_copy = values[ASK_RX_COPY] == 1,
        .rx_notify = values[ASK_RX_NOTIFY] == 1,
        .scatter = values[ASK_SCATTER] == 1,
        .gso4 = values[ASK_GSO4] == 1,
        .gso6 = values[ASK_GSO6] == 1,
        .checksum4 = values[ASK_NO_CHECKSUM] == 0,
        .checksum6 = values[ASK_CHECKSUM6] == 1,
        .multicast_control = values[ASK_MULTICAST] == 1,
        .xdp_headroom = values[ASK_HEADROOM],
        .queue_count = values[ASK_QUEUES] == 0 ? 1 : values[ASK_QUEUES],
    };
    *why = "asks for more queues than were offered";
    if (link->queue_count > NET_QUEUES_MAX)
        return -XEN_EINVAL;
    *why = "does not say where its rings are";
    for (uint32_t q = 0; q < link->queue_count; q++)
        if (values[ASK_QUEUES] < 2 ? !queue_take(&n, ASKS, link, q) : !queue_read(v, d, link, q))
            return -XEN_EINVAL;
    *why = NULL;
    return 0;
}

void vif_look(struct bus_back *b, struct bus_device *d)
{
    struct net_back *back = vif_of(d)->back;
    struct numbers n = {.count = 0};

    numbers_add(&n, asks, ASKS);
    if (!back->connected || !numbers_read(&n, b, d->front) || !numbers_take(&n, 0, ASKS))
        return;
    net_back_multicast_control(back, n.values[ASK_MULTICAST] == 1);
    net_back_headroom(back, n.values[ASK_HEADROOM]);
}

/* ---- counters -------------------------------------------------------------------------------- */

static const char *const reasons[NET_DROPS] = {
    [NET_DROP_MALFORMED] = "malformed", [NET_DROP_NO_BUFFER] = "no_buffer",
    [NET_DROP_TOO_LONG] = "too_long",   [NET_DROP_MAC_SPOOF] = "mac_spoof",
    [NET_DROP_IP_SPOOF] = "ip_spoof",   [NET_DROP_VLAN] = "vlan",
    [NET_DROP_ISOLATED] = "isolated",   [NET_DROP_RATE] = "rate",
    [NET_DROP_STORM] = "storm",         [NET_DROP_GROUP] = "group",
    [NET_DROP_LINK] = "link",           [NET_DROP_ERROR] = "error",
};

static uint64_t sum(const uint64_t *drops)
{
    uint64_t all = 0;

    for (uint32_t i = 0; i < NET_DROPS; i++)
        all += drops[i];
    return all;
}

static void reasons_add(char *text, size_t len, const char *direction, const uint64_t *drops)
{
    for (uint32_t i = 0; i < NET_DROPS; i++) {
        size_t at = strlen(text);

        if (drops[i] > 0 && reasons[i])
            (void)snprintf(text + at, len - at, " drop_%s_%s=%" PRIu64, direction, reasons[i],
                           drops[i]);
    }
}

/* The guest's side: it receives what the switch sends. */
void vif_count(const struct bus_device *d, char *text, size_t len)
{
    const struct net_counters *c = &((const struct vif *)d)->back->port.counters;

    (void)snprintf(text, len,
                   "rx_bytes=%" PRIu64 " rx_packets=%" PRIu64 " rx_drop=%" PRIu64
                   " tx_bytes=%" PRIu64 " tx_packets=%" PRIu64 " tx_drop=%" PRIu64,
                   c->out_bytes, c->out_packets, sum(c->out_drops), c->in_bytes, c->in_packets,
                   sum(c->in_drops));
    reasons_add(text, len, "rx", c->out_drops);
    reasons_add(text, len, "tx", c->in_drops);
}
