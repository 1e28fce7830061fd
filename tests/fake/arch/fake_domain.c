/* Domains of the pretend machine, and what grants and events ask of the rest of the core. */
#include "fake_domain.h"

#include <string.h>

#include "check.h"
#include "fake_arch.h"

#include <arch/clock.h>

#include "domain/share.h"
#include "event/event.h"
#include "grant/grant.h"
#include "mm/frame.h"
#include "mm/heap.h"
#include "mm/reserve.h"
#include "pci/pci.h"
#include "sched/sched.h"
#include "vcpu/info.h"
#include "vcpu/lapic.h"

struct domain fake_domain[FAKE_DOMAINS];
unsigned fake_wakes, fake_crashes;
uint64_t fake_pool_kept;
unsigned fake_strangers[2] = {FAKE_DOMAINS, FAKE_DOMAINS};
unsigned fake_unsafe = FAKE_DOMAINS;
static struct vcpu vcpus[FAKE_DOMAINS];

void fake_domains(void)
{
    fake_machine();
    fake_domains_make();
}

void fake_domains_make(void)
{
    fake_wakes = fake_crashes = 0;
    fake_strangers[0] = fake_strangers[1] = fake_unsafe = FAKE_DOMAINS;
    for (unsigned i = 0; i < FAKE_DOMAINS; i++) {
        struct domain *d = &fake_domain[i];

        *d = (struct domain){.id = (uint16_t)i, .refs = 1, .frames_max = 4 * FAKE_DOMAIN_PAGES};
        vcpus[i] = (struct vcpu){.domain = d};
        lock_init(&d->lock, LOCK_DOMAIN);
        d->vcpu[0] = &vcpus[i];
        d->vcpu_count = 1;
        d->shared = pool_alloc(0);
        d->scratch = pool_alloc(0);
        EXPECT(d->shared && d->scratch && p2m_init(&d->p2m, d) == 0 && event_init(d) == 0 &&
               grant_init(d, 4) == 0);
        for (uint64_t gfn = 0; gfn < FAKE_DOMAIN_PAGES; gfn++)
            EXPECT(reserve_populate(d, (gfn_t){gfn}, 0, false) == 0);
    }
}

void fake_domains_end(void)
{
    for (unsigned i = 0; i < FAKE_DOMAINS; i++) {
        event_fini(&fake_domain[i]);
        grant_unmap_all(&fake_domain[i]);
    }
    for (unsigned i = 0; i < FAKE_DOMAINS; i++) {
        struct domain *d = &fake_domain[i];

        EXPECT(d->refs == 1);
        p2m_fini(&d->p2m);
        grant_free(d);
        pool_free(d->shared, 0);
        pool_free(d->scratch, 0);
    }
    EXPECT(frame_free() == FAKE_FRAMES - FAKE_POOL);
    EXPECT(pool_bytes_free() == ((uint64_t)FAKE_POOL << PAGE_SHIFT) - fake_pool_kept);
}

void domain_crash(struct domain *d, const char *format, ...)
{
    (void)format;
    EXPECT(d->refs == 2);
    fake_crashes++;
}

struct domain *domain_get(uint16_t id)
{
    if (id >= FAKE_DOMAINS)
        return NULL;
    domain_ref(&fake_domain[id]);
    return &fake_domain[id];
}

void domain_ref(struct domain *d)
{
    d->refs++;
}

void domain_put(struct domain *d)
{
    EXPECT(d->refs > 1);
    d->refs--;
}

struct domain *domain_next(struct domain *d)
{
    uint16_t next = d ? (uint16_t)(d->id + 1) : 0;

    if (d)
        domain_put(d);
    return domain_get(next);
}

bool share_is_allowed(struct domain *a, struct domain *b)
{
    return a == b || !((a->id == fake_strangers[0] && b->id == fake_strangers[1]) ||
                       (a->id == fake_strangers[1] && b->id == fake_strangers[0]));
}

bool pci_is_unsafe(const struct domain *d)
{
    return d->id == fake_unsafe;
}

uint64_t pci_bus_address(const struct domain *d, gfn_t gfn, mfn_t frame)
{
    (void)d, (void)gfn;
    return frame.v << PAGE_SHIFT;
}

void sched_wake(struct vcpu *v)
{
    (void)v;
    fake_wakes++;
}

void lapic_raise(struct vcpu *v, uint8_t vector)
{
    (void)v, (void)vector;
}

bool lapic_has_work(const struct vcpu *v)
{
    (void)v;
    return false;
}

const struct clock_scale *clock_scale(void)
{
    static const struct clock_scale scale = {.mul = 1};

    return &scale;
}
