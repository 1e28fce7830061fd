/* Bridges and the cards behind them. */
#include "bridge.h"

#include <stdio.h>
#include <string.h>

#include <abi/addr.h>
#include <abi/xen.h>

#include <rt/clock.h>
#include <rt/log.h>
#include <rt/memory.h>

static const struct nic_hardware *const hardware[] = {
    &e1000e_hardware,
    &virtio_net_hardware,
};
#define HARDWARE_KINDS (sizeof(hardware) / sizeof(hardware[0]))

#define PAGES(n)      (((n) + PAGE_SIZE - 1) / PAGE_SIZE)
#define FUNCTIONS_MAX 32u
/* Frames that one card's turn takes, so that none keeps the domain to itself. */
#define NIC_BUDGET    64u
/* How long a card's frames stay there if those whom they are for have no room. */
#define NIC_PAUSE_NS  1000000u
/* Memory for frames that wait for their rate, or are cut or summed by us. */
#define POOL_PAGES    (SWITCH_HEAD_PAGES + 480u)

/* ---- frames of the switches' own ------------------------------------------------------------- */

/* Only a domain with a card can ask where its memory is for devices. */
static int pool_open(struct bridges *b, bool has_nics)
{
    b->pool = memory_buffers_alloc(PAGES(sizeof(*b->pool)));
    if (!b->pool)
        return -XEN_ENOMEM;
    switch_pool_init(b->pool, &switch_pool_grants, b->batch);
    for (uint32_t i = 0; i < POOL_PAGES; i++) {
        uint8_t *page = memory_buffers_alloc(1);

        if (!page)
            return -XEN_ENOMEM;
        if (switch_pool_give(b->pool, page, has_nics ? memory_dma_address(page) : 0) < 0)
            break;
    }
    return 0;
}

/* ---- bridges --------------------------------------------------------------------------------- */

struct bridge *bridge_get(struct bridges *b, const char *name)
{
    struct bridge *free = NULL;

    for (uint32_t i = BRIDGES_MAX; i-- > 0;) {
        struct bridge *at = &b->bridges[i];

        if (at->used && strcmp(at->name, name) == 0) {
            at->users++;
            return at;
        }
        if (!at->used)
            free = at;
    }
    if (!free)
        return NULL;
    /* Kept when the bridge goes: another one will want it. */
    if (!free->sw)
        free->sw = memory_buffers_alloc(PAGES(sizeof(*free->sw)));
    if (!free->sw)
        return NULL;
    *free = (struct bridge){.used = true, .users = 1, .sw = free->sw};
    (void)snprintf(free->name, sizeof(free->name), "%s", name);
    switch_init(free->sw, b->pool, clock_now() ^ (uintptr_t)free);
    return free;
}

void bridge_put(struct bridge *bridge)
{
    if (--bridge->users == 0)
        bridge->used = false;
}

/* ---- cards ----------------------------------------------------------------------------------- */

/* "bridge=NAME:N" for function N, or brN. False: the word is nonsense. */
static void name_choose(char *name, uint32_t number, int argc, char **argv)
{
    (void)snprintf(name, BRIDGE_NAME_LEN, "br%u", number);
    for (int i = 1; i < argc; i++) {
        char word[BRIDGE_NAME_LEN];
        unsigned n;
        int used = 0;

        if (sscanf(argv[i], "bridge=%15[^:]:%u%n", word, &n, &used) == 2 && argv[i][used] == '\0' &&
            n == number)
            (void)snprintf(name, BRIDGE_NAME_LEN, "%s", word);
    }
}

static void nic_join(struct bridges *b, struct nic *nic, const char *name)
{
    const struct switch_port_config config = {.uplink = true};
    struct bridge *bridge = bridge_get(b, name);
    const uint8_t *mac = nic->mac;

    if (!bridge || bridge->nic ||
        switch_add(bridge->sw, &bridge->uplink, &nic->port, &config, clock_now()) < 0) {
        log_line("%s: bridge %s has a card already, or there is no memory for it", nic->name, name);
        return;
    }
    bridge->nic = nic;
    nic->joined = true;
    log_line("%s: %02x:%02x:%02x:%02x:%02x:%02x, bridge %s%s", nic->name, mac[0], mac[1], mac[2],
             mac[3], mac[4], mac[5], name, nic->port.up ? "" : ", no link: is a cable connected?");
}

static void nic_add(struct bridges *b, struct nic *nic, const char *bridge)
{
    b->nics[b->nic_count].nic = nic;
    (void)snprintf(b->nics[b->nic_count].bridge, BRIDGE_NAME_LEN, "%s", bridge);
    b->nic_count++;
}

static void function_take(struct bridges *b, const struct pci_function *f, uint32_t number,
                          const char *bridge)
{
    char name[NIC_NAME_LEN];
    struct nic *nic;

    (void)snprintf(name, sizeof(name), "nic%u", number);
    for (size_t i = 0; i < HARDWARE_KINDS; i++) {
        if (!hardware[i]->matches(f))
            continue;
        if (b->nic_count == NICS_MAX)
            log_line("%02x:%02x.%u: more cards than are supported", f->bus, f->slot, f->function);
        else if (hardware[i]->open(f, name, b->batch, &nic) == 0)
            nic_add(b, nic, bridge);
        return;
    }
    log_line("%02x:%02x.%u: no driver for a network card %04x:%04x, class %06x: bridge %s joins "
             "guests only",
             f->bus, f->slot, f->function, f->vendor, f->device, f->class, bridge);
}

int bridges_open(struct bridges *b, struct net_batch *batch, int argc, char **argv)
{
    struct pci_function functions[FUNCTIONS_MAX];
    uint32_t count = pci_chosen(argc, argv, functions, FUNCTIONS_MAX);
    bool has_nics = false;

    *b = (struct bridges){.batch = batch};
    for (uint32_t i = 0; i < count; i++)
        has_nics = has_nics || functions[i].config;
    if (pool_open(b, has_nics) < 0)
        return -XEN_ENOMEM;
    for (uint32_t i = 0; i < count; i++) {
        char name[BRIDGE_NAME_LEN];

        name_choose(name, i, argc, argv);
        if (functions[i].config)
            function_take(b, &functions[i], i, name);
    }
    if (count == 0)
        log_line("no network card: all bridges join guests only");
    return 0;
}

void bridges_start(struct bridges *b)
{
    for (uint32_t i = 0; i < b->nic_count; i++)
        if (b->nics[i].nic->driver->ready(b->nics[i].nic) == 0)
            nic_join(b, b->nics[i].nic, b->nics[i].bridge);
}

/* ---- running --------------------------------------------------------------------------------- */

/*
 * More frames than are received are not worth their while: whoever has no buffers
 * needs the processor to make some, and what the card has no room for is lost
 * there at no cost.
 */
static bool nic_take(struct bridge *bridge, uint64_t now)
{
    struct nic *n = bridge->nic;
    struct net_packet *p = NULL;
    uint64_t refused = bridge->sw->refused;
    uint32_t taken = 0;

    bridge->paused = now < bridge->pause;
    if (!n || n->dead || bridge->paused)
        return false;
    while (taken < NIC_BUDGET && (p = n->driver->take(n)) != NULL) {
        switch_input(&bridge->uplink, p, now);
        net_packet_put(p);
        taken++;
    }
    n->probe.signs += taken;
    if ((bridge->sw->refused - refused) * 2 > taken)
        bridge->pause = now + NIC_PAUSE_NS;
    return taken > 0;
}

bool bridges_take(struct bridges *b, uint64_t now)
{
    bool any = false;

    for (uint32_t i = 0; i < BRIDGES_MAX; i++)
        if (b->bridges[i].used)
            any = nic_take(&b->bridges[i], now) || any;
    return any;
}

void bridges_flush(struct bridges *b, uint64_t now)
{
    for (uint32_t i = 0; i < BRIDGES_MAX; i++) {
        struct bridge *bridge = &b->bridges[i];

        if (!bridge->used)
            continue;
        switch_flush(bridge->sw, now);
        if (bridge->nic)
            nic_settle(bridge->nic);
    }
}

uint64_t bridges_tick(struct bridges *b, uint64_t now)
{
    uint64_t next = UINT64_MAX;

    for (uint32_t i = 0; i < BRIDGES_MAX; i++) {
        struct bridge *bridge = &b->bridges[i];

        if (!bridge->used)
            continue;

        uint64_t at = switch_tick(bridge->sw, now);

        next = at < next ? at : next;
        if (!bridge->nic)
            continue;
        at = nic_tick(bridge->nic, now);
        next = at < next ? at : next;
        at = nic_probe_tick(bridge->nic, now);
        next = at < next ? at : next;
        if (now < bridge->pause && bridge->pause < next)
            next = bridge->pause;
    }
    return next;
}

bool bridges_arm(struct bridges *b)
{
    bool may_sleep = true;

    for (uint32_t i = 0; i < BRIDGES_MAX; i++) {
        struct nic *n = b->bridges[i].used ? b->bridges[i].nic : NULL;

        if (n && !n->dead && !b->bridges[i].paused)
            may_sleep = n->driver->arm(n) && may_sleep;
    }
    return may_sleep;
}

void bridges_irq(struct bridges *b, evtchn_port_t port)
{
    for (uint32_t i = 0; i < BRIDGES_MAX; i++) {
        struct bridge *bridge = &b->bridges[i];
        struct nic *n = bridge->used ? bridge->nic : NULL;

        uint32_t number = n ? nic_irq_find(n, port) : 0;

        if (!n || number == n->irq_count)
            continue;

        bool was_up = n->port.up;

        n->driver->irq(n, number);
        if (was_up && !n->port.up)
            switch_link_down(&bridge->uplink);
    }
}
