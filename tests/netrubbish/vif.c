/* Nodes, grants and rings of the domain's interface 0. */
#include "vif.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <abi/memory.h>
#include <hcall.h>
#include <rt/clock.h>
#include <rt/event.h>
#include <rt/log.h>
#include <rt/memory.h>

#define RING_REF 8u
#define WAIT_NS  20000000000ull

static _Noreturn void give_up(const char *what)
{
    log_line("netrubbish: %s", what);
    exit(1);
}

static void grant(struct vif *v, grant_ref_t ref, const void *page)
{
    v->grants[ref].domid = v->peer;
    v->grants[ref].frame = (uint32_t)memory_gfn(page);
    __atomic_store_n(&v->grants[ref].flags, GTF_permit_access, __ATOMIC_RELEASE);
}

static void grants_open(struct vif *v)
{
    struct xen_add_to_physmap arg = {.domid = DOMID_SELF, .space = XENMAPSPACE_grant_table};

    v->grants = memory_space_alloc(1);
    v->rings = memory_pages_alloc(2);
    v->data = memory_pages_alloc(VIF_PAGES);
    arg.gpfn = memory_gfn(v->grants);
    if (!v->grants || !v->rings || !v->data || hcall_memory_add_to_physmap(&arg) < 0)
        give_up("no memory, or no grant table");
    for (uint32_t i = 0; i < 2; i++)
        grant(v, RING_REF + i, v->rings + (size_t)i * PAGE_SIZE);
    for (uint32_t i = 0; i < VIF_PAGES; i++)
        grant(v, VIF_PAGE(i), v->data + (size_t)i * PAGE_SIZE);
}

void vif_open(struct vif *v)
{
    struct evtchn_alloc_unbound unbound = {.dom = DOMID_SELF};
    char mac[24];
    uint64_t peer;

    if (store_open_own(&v->store) < 0 ||
        store_read(&v->store, STORE_TX_NONE, v->back, sizeof(v->back), "device/vif/0/backend") <
            0 ||
        store_read_number(&v->store, STORE_TX_NONE, &peer, "device/vif/0/backend-id") < 0 ||
        store_read(&v->store, STORE_TX_NONE, mac, sizeof(mac), "device/vif/0/mac") < 0 ||
        store_watch(&v->store, "back", "%s/state", v->back) < 0)
        give_up("no interface");
    v->peer = (domid_t)peer;
    for (unsigned i = 0; i < 6; i++)
        v->mac[i] = (uint8_t)strtoul(mac + (size_t)i * 3, NULL, 16);
    unbound.remote_dom = v->peer;
    if (hcall_event_alloc_unbound(&unbound) < 0)
        give_up("no event channel");
    v->port = unbound.port;
    event_open(v->port);
    grants_open(v);
}

static void state_write(struct vif *v, unsigned state)
{
    if (store_write_number(&v->store, STORE_TX_NONE, state, "device/vif/0/state") < 0)
        give_up("the store refuses our state");
}

unsigned vif_state(struct vif *v)
{
    uint64_t state = 0;

    (void)!store_read_number(&v->store, STORE_TX_NONE, &state, "%s/state", v->back);
    return (unsigned)state;
}

bool vif_wait_state(struct vif *v, unsigned state)
{
    uint64_t deadline = clock_now() + WAIT_NS;

    while (vif_state(v) != state)
        if (!store_event_wait(&v->store, deadline))
            return vif_state(v) == state;
    return true;
}

bool vif_connect(struct vif *v)
{
    char tx[12], rx[12], port[12];
    const struct store_pair pairs[] = {
        {"tx-ring-ref", tx},        {"rx-ring-ref", rx},
        {"event-channel", port},    {"request-rx-copy", "1"},
        {"feature-rx-notify", "1"}, {"feature-sg", "1"},
        {"feature-gso-tcpv4", "1"}, {"state", "4"},
    };

    if (!vif_wait_state(v, XenbusStateInitWait))
        return false;
    memset(v->rings, 0, 2 * (size_t)PAGE_SIZE);
    net_front_init(&v->front, v->rings, v->rings + PAGE_SIZE, v->port, v->port);
    (void)snprintf(tx, sizeof(tx), "%u", RING_REF);
    (void)snprintf(rx, sizeof(rx), "%u", RING_REF + 1);
    (void)snprintf(port, sizeof(port), "%u", v->port);
    return store_write_all(&v->store, STORE_TX_NONE, pairs, sizeof(pairs) / sizeof(pairs[0]),
                           "device/vif/0") >= 0 &&
           vif_wait_state(v, XenbusStateConnected);
}

void vif_disconnect(struct vif *v)
{
    state_write(v, XenbusStateClosing);
    (void)vif_wait_state(v, XenbusStateClosing);
    state_write(v, XenbusStateClosed);
    if (!vif_wait_state(v, XenbusStateClosed))
        give_up("the back end does not let go");
    state_write(v, XenbusStateInitialising);
}

void vif_address(struct vif *v)
{
    memset(v->data, 0xff, 6);
    memcpy(v->data + 6, v->mac, 6);
    v->data[12] = 0x88;
    v->data[13] = 0xb5;
}

int vif_answer(struct vif *v)
{
    uint64_t deadline = clock_now() + WAIT_NS;
    struct netif_tx_response response;

    while (clock_now() < deadline) {
        int rc = net_front_answer(&v->front, &response);

        if (rc < 0)
            return rc;
        if (rc > 0)
            return response.status;
        (void)event_wait(deadline);
    }
    return -100;
}
