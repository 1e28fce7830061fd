#include "event/event.h"

#include <string.h>

#include "check.h"
#include "fake_arch.h"
#include "fake_domain.h"

#include <abi/rights.h>

#include "vcpu/vcpu.h"

static struct domain *const a = &fake_domain[0];
static struct domain *const b = &fake_domain[1];
static struct domain *const c = &fake_domain[2];

static bool is_pending(const struct domain *d, uint32_t port)
{
    return event_is_pending(d, port);
}

static void clear(struct domain *d, uint32_t port)
{
    d->shared->evtchn_pending[port / 64] &= ~(1ul << port % 64);
    memset(&d->shared->vcpu_info[0], 0, 16);
}

/* A channel from a to b: the ports at both ends, nothing pending. */
static void connect(uint32_t *at_a, uint32_t *at_b)
{
    EXPECT(event_alloc_unbound(a, b->id, at_a) == 0);
    EXPECT(event_bind_interdomain(b, a, *at_a, at_b) == 0);
    clear(b, *at_b);
    fake_wakes = 0;
}

TEST(only_the_named_domain_binds)
{
    uint32_t port;
    uint32_t other;

    fake_domains();
    EXPECT(event_alloc_unbound(a, b->id, &port) == 0);
    EXPECT(event_bind_interdomain(c, a, port, &other) == -XEN_EINVAL);
    EXPECT(event_bind_interdomain(b, a, port + 1, &other) == -XEN_EINVAL);
    EXPECT(event_bind_interdomain(b, a, UINT32_MAX, &other) == -XEN_EINVAL);
    EXPECT(event_bind_interdomain(b, a, port, &other) == 0);
    EXPECT(event_bind_interdomain(b, a, port, &other) == -XEN_EINVAL);
    fake_domains_end();
}

TEST(strangers_do_not_bind)
{
    uint32_t port;
    uint32_t other;

    fake_domains();
    fake_strangers[0] = a->id;
    fake_strangers[1] = b->id;
    EXPECT(event_alloc_unbound(a, b->id, &port) == 0);
    EXPECT(event_bind_interdomain(b, a, port, &other) == -XEN_EPERM);
    fake_domains_end();
}

TEST(a_send_wakes_once_until_taken)
{
    uint32_t at_a;
    uint32_t at_b;

    fake_domains();
    connect(&at_a, &at_b);
    EXPECT(event_send(a, at_a) == 0);
    EXPECT(is_pending(b, at_b) && fake_wakes == 1 && b->shared->vcpu_info[0].evtchn_upcall_pending);
    EXPECT(event_send(a, at_a) == 0);
    EXPECT(fake_wakes == 1);
    clear(b, at_b);
    EXPECT(event_send(a, at_a) == 0);
    EXPECT(fake_wakes == 2);
    fake_domains_end();
}

TEST(a_masked_port_is_pending_and_silent)
{
    uint32_t at_a;
    uint32_t at_b;

    fake_domains();
    connect(&at_a, &at_b);
    b->shared->evtchn_mask[at_b / 64] |= 1ul << at_b % 64;
    EXPECT(event_send(a, at_a) == 0);
    EXPECT(is_pending(b, at_b) && fake_wakes == 0);
    EXPECT(event_unmask(b, at_b) == 0);
    EXPECT(fake_wakes == 1);
    fake_domains_end();
}

TEST(a_dead_peer_leaves_the_port_for_its_successor)
{
    struct evtchn_status status;
    uint32_t at_a;
    uint32_t at_b;

    fake_domains();
    connect(&at_a, &at_b);
    event_fini(b);
    EXPECT(event_status(a, at_a, &status) == 0 && status.status == EVTCHNSTAT_unbound &&
           status.u.unbound.dom == b->id);
    EXPECT(event_send(a, at_a) == 0);
    /* The same id again binds the same port. */
    EXPECT(event_init(b) == 0);
    EXPECT(event_bind_interdomain(b, a, at_a, &at_b) == 0);
    EXPECT(is_pending(b, at_b));
    fake_domains_end();
}

TEST(an_upcall_is_told_while_the_guest_flag_is_up)
{
    uint32_t at_a;
    uint32_t at_b;

    fake_domains();
    b->callback_vector = 0x30;
    connect(&at_a, &at_b);
    EXPECT(!event_upcall_pending(b->vcpu[0]) || !b->shared->vcpu_info[0].evtchn_upcall_pending);
    EXPECT(event_send(a, at_a) == 0);
    EXPECT(event_upcall_pending(b->vcpu[0]));
    EXPECT(event_upcall_pending(b->vcpu[0]));
    b->shared->vcpu_info[0].evtchn_upcall_pending = 0;
    EXPECT(!event_upcall_pending(b->vcpu[0]));
    fake_domains_end();
}

TEST(host_wide_interrupts_need_their_right)
{
    uint32_t port;

    fake_domains();
    EXPECT(event_bind_virq(a->vcpu[0], VIRQ_DOM_EXC, &port) == -XEN_EPERM);
    a->rights = RIGHT_BUILD;
    EXPECT(event_bind_virq(a->vcpu[0], VIRQ_DOM_EXC, &port) == 0);
    event_raise_global(VIRQ_DOM_EXC);
    EXPECT(is_pending(a, port));
    EXPECT(b->vcpu[0]->virq_port[VIRQ_DOM_EXC] == 0);
    fake_domains_end();
}

/* Random calls with random ports: states stay symmetric, nothing leaks. */
TEST(random_calls_keep_both_ends_alike)
{
    uint64_t seed = 7;

    fake_domains();
    for (unsigned i = 0; i < 20000; i++) {
        struct domain *d;
        struct domain *e;
        uint32_t port;
        uint32_t made;

        seed = seed * 6364136223846793005ull + 1442695040888963407ull;
        d = &fake_domain[(seed >> 60) % FAKE_DOMAINS];
        e = &fake_domain[(seed >> 56) % FAKE_DOMAINS];
        port = (uint32_t)(seed >> 40) % 40;
        switch ((seed >> 32) % 6) {
        case 0: (void)!event_alloc_unbound(d, e->id, &made); break;
        case 1: (void)!event_bind_interdomain(d, e, port, &made); break;
        case 2: event_close(d, port); break;
        case 3: (void)!event_send(d, port); break;
        case 4: (void)!event_unmask(d, port); break;
        default: (void)!event_bind_vcpu(d, port, 0); break;
        }
        for (uint32_t p = 1; p < 128; p++) {
            struct evtchn_status here;
            struct evtchn_status there;

            if (event_status(d, p, &here) != 0 || here.status != EVTCHNSTAT_interdomain)
                continue;
            EXPECT(event_status(&fake_domain[here.u.interdomain.dom], here.u.interdomain.port,
                                &there) == 0);
            EXPECT(there.status == EVTCHNSTAT_interdomain && there.u.interdomain.port == p &&
                   there.u.interdomain.dom == d->id);
        }
    }
    fake_domains_end();
}
