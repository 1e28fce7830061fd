/*
 * A domain is reset while others share with it: random moves of a few domains,
 * and after each what must hold of mappings, marks, ports and frames. The core's
 * own domains, channels and grants over the pretend machine (fake_parts.c has the rest).
 */
#include "domain/domain.h"

#include <stdio.h>
#include <string.h>

#include "check.h"
#include "fake_arch.h"

#include "domain/share.h"
#include "event/event.h"
#include "grant/grant.h"
#include "mm/frame.h"
#include "mm/heap.h"
#include "mm/reserve.h"
#include "pci/pci.h"
#include "vcpu/info.h"

#define DOMAINS   4u
#define PAGES     12u /* of RAM of each, from frame 0 */
#define REFS      8u
#define PLACES    8u /* empty frames of each, to map into */
#define FIRST_GAP 64u
#define PORTS     10u /* that moves name */

/* What the model knows of a mapping, and of a domain. */
struct mapped {
    bool is, readonly;
    unsigned owner, life; /* the owner's slot, and which domain of that slot */
    uint32_t ref, handle;
    uint64_t mfn;
};

static struct slot {
    struct domain *d;
    unsigned life;
    uint32_t store_port, console_port;
    struct mapped mapped[PLACES];
} slots[DOMAINS];

static struct domain *control; /* domain 0, which is there all the time */
static struct domain *fenced;  /* whose devices were closed last, by pci_restart */
static uint64_t seed;

static unsigned draw(unsigned below)
{
    seed = seed * 6364136223846793005ull + 1442695040888963407ull;
    return (unsigned)(seed >> 33) % below;
}

/* ---- devices ------------------------------------------------------------------------------- */

void pci_release(struct domain *d)
{
    (void)d;
}

/* Devices first: nothing is unmapped, and so nothing freed, while they may still write to it. */
int pci_restart(struct domain *d, bool reopen)
{
    if (reopen)
        EXPECT(fenced == d && d->grants->mapped == 0);
    fenced = reopen ? NULL : d;
    return 0;
}

bool pci_is_unsafe(const struct domain *d)
{
    (void)d;
    return false;
}

uint64_t pci_bus_address(const struct domain *d, gfn_t gfn, mfn_t frame)
{
    (void)d, (void)gfn;
    return frame.v << PAGE_SHIFT;
}

/* ---- domains --------------------------------------------------------------------------------- */

static struct grant_entry_v1 *entry(unsigned i, uint32_t ref)
{
    return &slots[i].d->grants->entry[0][ref];
}

static void make(unsigned i)
{
    const struct domain_limits limits = {.vcpus = 1, .grant_frames = 4};
    struct slot *s = &slots[i];

    *s = (struct slot){.life = s->life + 1};
    EXPECT(domain_create(0, &limits, &s->d) == 0);
    s->d->frames_max = 4 * PAGES;
    for (uint64_t gfn = 0; gfn < PAGES; gfn++)
        EXPECT(reserve_populate(s->d, (gfn_t){gfn}, 0, false) == 0);
    EXPECT(share_add(s->d, DOMID_INVALID) == 0);
    EXPECT(event_alloc_unbound(s->d, control->id, &s->store_port) == 0);
    EXPECT(event_alloc_unbound(s->d, control->id, &s->console_port) == 0);
    s->d->param[HVM_PARAM_STORE_EVTCHN] = s->store_port;
    s->d->param[HVM_PARAM_CONSOLE_EVTCHN] = s->console_port;
    domain_unpause(s->d);
}

static void end(unsigned i)
{
    uint16_t owner;

    EXPECT(domain_destroy(slots[i].d) == 0);
    EXPECT(slots[i].d->grants->mapped == 0);
    /* Whatever its peers have mapped: its memory is free. */
    for (uint64_t mfn = FAKE_FIRST + FAKE_POOL; mfn < FAKE_FIRST + FAKE_FRAMES; mfn++)
        EXPECT(frame_kind((mfn_t){mfn}, &owner) != FRAME_DOMAIN || owner != slots[i].d->id);
    domain_put(slots[i].d);
    slots[i].d = NULL;
}

/* ---- moves ----------------------------------------------------------------------------------- */

static void lend(void)
{
    struct grant_entry_v1 *e = entry(draw(DOMAINS), draw(REFS));

    /* What the core marked is not the owner's to change. */
    e->frame = draw(PAGES + 2);
    e->domid = slots[draw(DOMAINS)].d->id;
    e->flags = (uint16_t)((e->flags & (GTF_reading | GTF_writing)) |
                          (draw(8) ? GTF_permit_access : 0) | (draw(4) ? 0 : GTF_readonly));
}

static void map_one(void)
{
    struct slot *s = &slots[draw(DOMAINS)];
    unsigned place = draw(PLACES), owner = draw(DOMAINS);
    struct mapped *m = &s->mapped[place];
    struct gnttab_map_grant_ref op = {
        .host_addr = (uint64_t)(FIRST_GAP + place) << PAGE_SHIFT,
        .flags = GNTMAP_host_map | (draw(2) ? GNTMAP_readonly : 0u),
        .ref = draw(REFS),
        .dom = slots[owner].d->id,
    };

    grant_map(s->d, &op);
    if (op.status != GNTST_okay)
        return;
    EXPECT(!m->is);
    *m = (struct mapped){.is = true,
                         .readonly = (op.flags & GNTMAP_readonly) != 0,
                         .owner = owner,
                         .life = slots[owner].life,
                         .ref = op.ref,
                         .handle = op.handle,
                         .mfn = op.dev_bus_addr >> PAGE_SHIFT};
}

static void unmap_one(void)
{
    struct slot *s = &slots[draw(DOMAINS)];
    unsigned place = draw(PLACES);
    struct mapped *m = &s->mapped[place];
    struct grant_batch batch = {.count = 0};
    struct gnttab_unmap_grant_ref op = {.host_addr = (uint64_t)(FIRST_GAP + place) << PAGE_SHIFT,
                                        .handle = m->handle};
    bool right = m->is;

    grant_unmap(s->d, &op, &batch);
    grant_batch_flush(s->d, &batch);
    EXPECT(!right || op.status == GNTST_okay);
    m->is = m->is && !right;
}

static void copy_one(void)
{
    struct gnttab_copy op = {.len = (uint16_t)draw(64), .flags = GNTCOPY_source_gref};

    op.source.domid = slots[draw(DOMAINS)].d->id;
    op.source.u.ref = draw(REFS);
    op.dest.domid = DOMID_SELF;
    op.dest.u.gmfn = draw(PAGES + 2);
    grant_copy(slots[draw(DOMAINS)].d, &op);
}

/* The owner gives a page away that others may have mapped, and takes a new one. */
static void lose_page(void)
{
    struct domain *d = slots[draw(DOMAINS)].d;
    struct release release = {.domain = d};
    gfn_t gfn = {draw(PAGES)};

    EXPECT(release_take(&release, gfn, 1u << P2M_RAM) == 0);
    release_flush(&release);
    EXPECT(reserve_populate(d, gfn, 0, false) == 0);
}

static void open_port(void)
{
    struct domain *d = slots[draw(DOMAINS)].d;
    uint32_t port;

    switch (draw(4)) {
    case 0:
        (void)!(draw(2) ? event_bind_virq(d->vcpu[0], VIRQ_TIMER, &port)
                        : event_bind_ipi(d->vcpu[0], &port));
        break;
    default: (void)!event_alloc_unbound(d, slots[draw(DOMAINS)].d->id, &port); break;
    }
}

static struct evtchn_status status_of(struct domain *d, uint32_t port)
{
    struct evtchn_status status;

    EXPECT(event_status(d, port, &status) == 0);
    return status;
}

/* A port of the remote domain that waits for this one, if there is one; else any. */
static uint32_t port_for(struct domain *d, struct domain *remote)
{
    for (uint32_t port = 1 + draw(PORTS); port < 4 * PORTS; port++) {
        struct evtchn_status status = status_of(remote, port);

        if (status.status == EVTCHNSTAT_unbound && status.u.unbound.dom == d->id)
            return port;
    }
    return draw(PORTS);
}

static void bind_port(void)
{
    struct domain *remote = slots[draw(DOMAINS)].d;
    /* The control domain serves the stores and consoles. */
    struct domain *d = draw(4) ? slots[draw(DOMAINS)].d : control;
    uint32_t port;

    (void)!event_bind_interdomain(d, remote, d == control ? draw(4) : port_for(d, remote), &port);
}

static void use_port(void)
{
    struct slot *s = &slots[draw(DOMAINS)];
    uint32_t port = draw(PORTS);

    switch (draw(5)) {
    case 0:
        if (port != s->store_port && port != s->console_port)
            event_close(s->d, port);
        break;
    case 1: (void)!event_unmask(s->d, port); break;
    case 2: s->d->shared->evtchn_mask[0] |= 1ul << port; break;
    case 3: (void)!event_send(control, 1 + port); break;
    default: (void)!event_send(s->d, port); break;
    }
}

/* What a kernel registers, and what keeps it from running. */
static void live(void)
{
    struct domain *d = slots[draw(DOMAINS)].d;
    struct vcpu *v = d->vcpu[0];

    switch (draw(4)) {
    case 0: (void)!info_register(v, (gfn_t){draw(PAGES)}, 64 * draw(8)); break;
    case 1: v->timer.armed = v->poll_timer.armed = v->lapic.timer.armed = v->polling = true; break;
    case 2: domain_shutdown(d, SHUTDOWN_crash); break;
    default:
        v->state = VCPU_RUNNABLE;
        v->upcall = d->entitled = d->runstate_flag = true;
        d->callback_vector = 0x30;
        break;
    }
}

static void destroy_one(void)
{
    unsigned i = draw(DOMAINS);

    if (draw(4))
        return;
    end(i);
    make(i);
}

/* ---- the reset ------------------------------------------------------------------------------- */

static unsigned unbound; /* ports whose peers were reset, in all */

/* Ports of others that were bound to a port of the domain that goes. */
static bool bound_before[DOMAINS][EVENT_CHUNK];

static bool is_bound_to(struct domain *d, uint32_t port, const struct slot *s)
{
    struct evtchn_status status = status_of(d, port);

    return status.status == EVTCHNSTAT_interdomain && status.u.interdomain.dom == s->d->id &&
           status.u.interdomain.port != s->store_port &&
           status.u.interdomain.port != s->console_port;
}

static void check_ports(const struct slot *s, unsigned self)
{
    for (uint32_t port = 1; port < EVENT_CHUNK; port++) {
        if (port != s->store_port && port != s->console_port)
            EXPECT(status_of(s->d, port).status == EVTCHNSTAT_closed);
        for (unsigned i = 0; i < DOMAINS; i++) {
            struct evtchn_status now = status_of(slots[i].d, port);

            if (i == self || !bound_before[i][port])
                continue;
            EXPECT(now.status == EVTCHNSTAT_unbound && now.u.unbound.dom == s->d->id);
            unbound++;
        }
    }
    for (unsigned i = 0; i < sizeof(s->d->shared->evtchn_pending) / 8; i++)
        EXPECT(s->d->shared->evtchn_pending[i] == 0 && s->d->shared->evtchn_mask[i] == 0);
    EXPECT(!s->d->shared->vcpu_info[0].evtchn_upcall_pending);
}

static void check_vcpu(const struct domain *d)
{
    const struct vcpu *v = d->vcpu[0];

    EXPECT(v->state == VCPU_DOWN && v->pause_count == 1 && d->paused && !d->shutdown);
    EXPECT(!v->timer.armed && !v->poll_timer.armed && !v->lapic.timer.armed && !v->polling);
    EXPECT(!v->upcall && d->callback_vector == 0);
    EXPECT(!area_is_set(&v->info_area) && v->virq_port[VIRQ_TIMER] == 0);
    EXPECT(!d->has_run && !d->entitled && !d->runstate_flag);
}

static void reset_one(void)
{
    unsigned self = draw(DOMAINS), had = 0;
    struct slot *s = &slots[self];
    uint8_t store = status_of(s->d, s->store_port).status & 0xff;
    uint8_t *byte;
    enum p2m_type type;

    for (unsigned p = 0; p < PLACES; p++)
        had += s->mapped[p].is;
    for (unsigned i = 0; i < DOMAINS; i++)
        for (uint32_t port = 1; port < EVENT_CHUNK; port++)
            bound_before[i][port] = is_bound_to(slots[i].d, port, s);
    byte = fake_frame(p2m_lookup(&s->d->p2m, (gfn_t){3}, &type).v);
    *byte = (uint8_t)seed;

    EXPECT(domain_reset(s->d) == 0);
    EXPECT(fenced == NULL && s->d->grants->mapped == 0 && had <= PLACES);
    memset(s->mapped, 0, sizeof(s->mapped));
    check_ports(s, self);
    check_vcpu(s->d);
    EXPECT(status_of(s->d, s->store_port).status == store);
    EXPECT(*byte == (uint8_t)seed); /* memory keeps its content */
    if (draw(4))
        domain_unpause(s->d);
}

static void (*const moves[])(void) = {
    lend,      lend,      lend,      map_one,   map_one,   map_one,   map_one,   unmap_one,
    copy_one,  lose_page, open_port, open_port, open_port, bind_port, bind_port, bind_port,
    bind_port, bind_port, use_port,  use_port,  use_port,  live,      reset_one, destroy_one};

/* ---- what must hold -------------------------------------------------------------------------- */

static void check_marks(unsigned owner, uint32_t ref)
{
    unsigned readers = 0, writers = 0;
    uint16_t flags = entry(owner, ref)->flags;

    for (unsigned u = 0; u < DOMAINS; u++) {
        for (unsigned p = 0; p < PLACES; p++) {
            const struct mapped *m = &slots[u].mapped[p];

            if (m->is && m->owner == owner && m->life == slots[owner].life && m->ref == ref)
                *(m->readonly ? &readers : &writers) += 1;
        }
    }
    EXPECT(!!(flags & GTF_writing) == (writers > 0));
    EXPECT(!!(flags & GTF_reading) == (readers + writers > 0));
}

/* Where the owner lives its frame is mapped, else a page of one's own; or nothing, and is not. */
static unsigned check_places(const struct slot *s)
{
    unsigned count = 0;

    for (unsigned p = 0; p < PLACES; p++) {
        const struct mapped *m = &s->mapped[p];
        enum p2m_type type;
        uint64_t mfn = p2m_lookup(&s->d->p2m, (gfn_t){FIRST_GAP + p}, &type).v;
        uint16_t owner;

        count += m->is;
        if (!m->is)
            EXPECT(type != P2M_GRANT && type != P2M_GRANT_RO);
        if (!m->is)
            continue;
        EXPECT(type == (m->readonly ? P2M_GRANT_RO : P2M_GRANT));
        if (m->life != slots[m->owner].life) {
            EXPECT(mfn == pool_mfn(s->d->scratch).v);
            continue;
        }
        EXPECT(mfn == m->mfn);
        EXPECT(frame_kind((mfn_t){mfn}, &owner) == FRAME_DOMAIN && owner == slots[m->owner].d->id);
    }
    return count;
}

static void check_ends(struct domain *d)
{
    for (uint32_t port = 1; port < EVENT_CHUNK; port++) {
        struct evtchn_status here = status_of(d, port);

        if (here.status != EVTCHNSTAT_interdomain)
            continue;
        struct domain *peer = domain_get(here.u.interdomain.dom);

        EXPECT(peer != NULL);
        if (!peer)
            continue;
        struct evtchn_status there = status_of(peer, here.u.interdomain.port);

        EXPECT(there.status == EVTCHNSTAT_interdomain && there.u.interdomain.dom == d->id &&
               there.u.interdomain.port == port);
        domain_put(peer);
    }
}

static void check_all(void)
{
    for (unsigned i = 0; i < DOMAINS; i++) {
        const struct domain *d = slots[i].d;

        EXPECT(d->grants->mapped == check_places(&slots[i]));
        EXPECT(d->vcpu[0]->pause_count == (unsigned)d->paused + d->shutdown);
        for (uint32_t ref = 0; ref < REFS; ref++)
            check_marks(i, ref);
        check_ends(slots[i].d);
    }
    check_ends(control);
}

static void who_is_dying_is_not_reset(void)
{
    make(0);
    struct domain *d = slots[0].d;

    domain_ref(d);
    end(0);
    EXPECT(domain_reset(d) == -XEN_EINVAL);
    domain_put(d);
}

TEST(random_moves_and_resets)
{
    const struct domain_limits limits = {.vcpus = 1};
    unsigned resets = 0;
    uint32_t port;

    fake_machine();
    EXPECT(domain_create(0, &limits, &control) == 0 && control->id == 0);
    EXPECT(share_add(control, DOMID_INVALID) == 0);
    EXPECT(event_alloc_unbound(control, 0, &port) == 0); /* so that its table is there */
    uint64_t frames = frame_free(), pool = pool_bytes_free();

    for (unsigned round = 1; round <= 80; round++) {
        seed = round;
        for (unsigned i = 0; i < DOMAINS; i++)
            make(i);
        for (unsigned n = 0; n < 400; n++) {
            unsigned move = draw(sizeof(moves) / sizeof(moves[0]));

            resets += moves[move] == reset_one;
            moves[move]();
            check_all();
        }
        for (unsigned i = 0; i < DOMAINS; i++)
            end(i);
        /* As a service lets go of who is gone. */
        for (uint32_t p = 1; p < EVENT_CHUNK; p++)
            if (p != port)
                event_close(control, p);
        EXPECT(frame_free() == frames && pool_bytes_free() == pool && control->refs == 2);
    }
    EXPECT(resets > 1000 && unbound > 300);
    printf("# %u resets, %u ports that wait for the same domain\n", resets, unbound);
    who_is_dying_is_not_reset();
    domain_put(control);
}
