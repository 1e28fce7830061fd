/*
 * A domain dies on one CPU while a peer, on another, maps, unmaps or copies what it
 * grants: one of the two goes on instruction by instruction, and wherever it holds no
 * lock and reads no tables, the other comes between.
 */
#define _GNU_SOURCE /* names of registers */
#include <signal.h>
#include <ucontext.h>

#include "check.h"
#include "fake_arch.h"
#include "fake_domain.h"

#include <arch/tlb.h>

#include "grant/grant.h"
#include "mm/frame.h"
#include "mm/heap.h"

#define PLACE 64u /* where the peer maps */
#define TRAP  0x100

static struct domain *const owner = &fake_domain[0], *const peer = &fake_domain[1];
static struct gnttab_map_grant_ref mapping;

/* ---- what the two do ------------------------------------------------------------------ */

static void die(void)
{
    owner->dying = true;
    grant_unmap_all(owner);
    grant_revoke_all(owner);
    tlb_flush_p2m(&owner->p2m);
    p2m_fini(&owner->p2m);
}

static void map(void)
{
    mapping = (struct gnttab_map_grant_ref){.host_addr = (uint64_t)PLACE << PAGE_SHIFT,
                                            .flags = GNTMAP_host_map,
                                            .ref = 1,
                                            .dom = owner->id};
    grant_map(peer, &mapping);
    EXPECT(mapping.status == GNTST_okay || mapping.status == GNTST_bad_gntref);
}

static void unmap(void)
{
    struct gnttab_unmap_grant_ref op = {.host_addr = mapping.host_addr, .handle = mapping.handle};
    struct grant_batch batch = {.count = 0};

    grant_unmap(peer, &op, &batch);
    grant_batch_flush(peer, &batch);
    EXPECT(op.status == GNTST_okay);
}

static void unmap_all(void)
{
    grant_unmap_all(peer);
}

static void copy(void)
{
    struct gnttab_copy op = {.flags = GNTCOPY_source_gref | GNTCOPY_dest_gref, .len = 64};

    op.source.domid = op.dest.domid = owner->id;
    op.source.u.ref = 1;
    op.dest.u.ref = 2;
    grant_copy(peer, &op);
    EXPECT(op.status == GNTST_okay || op.status == GNTST_bad_gntref);
}

/* places: so many are tried, at most. */
static const struct {
    void (*slow)(void);
    void (*quick)(void);
    unsigned places;
    bool is_mapped;
} pairs[] = {
    {map, die, 9, false}, {unmap, die, 9, true}, {copy, die, 9, true}, {unmap_all, die, 3, true},
    {die, map, 3, false}, {die, unmap, 3, true}, {die, copy, 3, true}, {die, unmap_all, 3, true},
};

/* ---- step by step --------------------------------------------------------------------- */

static void (*quick)(void);
static unsigned places; /* still to be passed */
static bool was_free;

static void step(int signal, siginfo_t *info, void *context)
{
    const struct cpu *cpu = cpu_this();
    bool is_free = cpu->locks_held == 0 && !cpu->reading[0] && !cpu->reading[1];

    (void)signal, (void)info;
    if (is_free && !was_free && places-- == 0) {
        unsigned before = fake_cpu_enter(1);

        quick();
        fake_cpu_enter(before);
        quick = NULL;
        ((ucontext_t *)context)->uc_mcontext.gregs[REG_EFL] &= ~TRAP;
    }
    was_free = is_free;
}

/* False: it has no such place. */
static bool run(void (*slow)(void), void (*other)(void), unsigned place)
{
    quick = other;
    places = place;
    was_free = false;
    __builtin_ia32_writeeflags_u64(__builtin_ia32_readeflags_u64() | TRAP);
    slow();
    __builtin_ia32_writeeflags_u64(__builtin_ia32_readeflags_u64() & ~(unsigned long long)TRAP);
    return !quick;
}

/* Nobody has a frame of its any more; where it was mapped the peer has its own page. */
static void check_gone(void)
{
    enum p2m_type type;
    mfn_t mfn = p2m_lookup(&peer->p2m, (gfn_t){PLACE}, &type);
    uint16_t of;

    EXPECT(type == P2M_EMPTY || (type == P2M_GRANT && mfn.v == pool_mfn(peer->scratch).v));
    EXPECT((type == P2M_EMPTY) == (peer->grants->mapped == 0));
    EXPECT(owner->refs == 1);
    for (uint64_t m = FAKE_FIRST + FAKE_POOL; m < FAKE_FIRST + FAKE_FRAMES; m++)
        EXPECT(frame_kind((mfn_t){m}, &of) != FRAME_DOMAIN || of != owner->id);
}

TEST(an_owner_dies_under_its_peers_hands)
{
    const struct sigaction action = {.sa_sigaction = step, .sa_flags = SA_SIGINFO};
    unsigned tried = 0;

    EXPECT(sigaction(SIGTRAP, &action, NULL) == 0);
    for (unsigned i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
        bool more = true;

        for (unsigned place = 0; more && place < pairs[i].places; place++) {
            fake_domains();
            EXPECT(grant_seed(owner, 1, peer->id, 1) == 0 &&
                   grant_seed(owner, 2, peer->id, 2) == 0);
            if (pairs[i].is_mapped)
                map();
            more = run(pairs[i].slow, pairs[i].quick, place);
            if (!owner->dying)
                die();
            check_gone();
            tried += more;
            fake_domains_end();
        }
    }
    EXPECT(tried > 20);
}
