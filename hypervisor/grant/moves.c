/*
 * Random moves over grants, checked against a model of who has what mapped. A CPU runs
 * each domain all the time, and remembers all that it saw until it is told to forget.
 */
#include "grant/moves.h"

#include <string.h>

#include "check.h"
#include "fake_arch.h"
#include "fake_domain.h"

#include <arch/tlb.h>

#include "grant/grant.h"
#include "mm/frame.h"
#include "mm/heap.h"
#include "mm/reserve.h"

#define REFS      8u
#define PLACES    8u /* empty frames of each domain, to map into */
#define FIRST_GAP 64u
#define SEEN      (FIRST_GAP + PLACES) /* what a CPU remembers of its domain's frames */

/* What the model knows of a mapping. */
struct mapped {
    bool is;
    unsigned owner, ref;
    bool readonly;
    bool gone; /* the owner is: the user's own page is there */
    uint32_t handle;
    uint64_t mfn;
};

static struct mapped model[FAKE_DOMAINS][PLACES];
static uint64_t seen[FAKE_DOMAINS][SEEN]; /* mfn; 0: not seen */
static const uint8_t *bytes;
static size_t left;

static unsigned draw(unsigned below)
{
    if (left == 0)
        return 0;
    left--;
    return *bytes++ % below;
}

static struct grant_entry_v1 *entry(unsigned owner, unsigned ref)
{
    return &fake_domain[owner].grants->entry[0][ref];
}

/* ---- CPUs, each in its domain -------------------------------------------------------- */

static void look(unsigned id)
{
    struct p2m *p2m = &fake_domain[id].p2m;

    p2m->running |= 1ull << (id + 1);
    p2m->flush_needed &= ~(1ull << (id + 1));
    for (uint64_t gfn = 0; gfn < SEEN; gfn++) {
        enum p2m_type type;
        mfn_t mfn = p2m_lookup(p2m, (gfn_t){gfn}, &type);

        if (seen[id][gfn] == 0 && type != P2M_EMPTY)
            seen[id][gfn] = mfn.v;
    }
}

/* It forgets; what it could reach to the last was nobody else's. */
static void kick(unsigned cpu)
{
    unsigned id = cpu - 1;

    for (uint64_t gfn = 0; gfn < SEEN; gfn++)
        EXPECT(seen[id][gfn] == 0 || frame_kind((mfn_t){seen[id][gfn]}, NULL) != FRAME_FREE);
    memset(seen[id], 0, sizeof(seen[id]));
    fake_domain[id].p2m.running &= ~(1ull << cpu);
}

static void check_seen(unsigned id)
{
    for (uint64_t gfn = 0; gfn < SEEN; gfn++) {
        enum p2m_type type;
        mfn_t now = p2m_lookup(&fake_domain[id].p2m, (gfn_t){gfn}, &type);

        EXPECT(seen[id][gfn] == 0 || seen[id][gfn] == now.v);
    }
}

/* ---- moves ------------------------------------------------------------------------- */

static void lend(void)
{
    unsigned owner = draw(FAKE_DOMAINS);
    unsigned ref = draw(REFS);
    struct grant_entry_v1 *e = entry(owner, ref);

    /* A guest may write anything at any time; marks of ours are what it may not wish away. */
    e->frame = draw(FAKE_DOMAIN_PAGES + 2);
    e->domid = (uint16_t)draw(FAKE_DOMAINS + 1);
    e->flags = (uint16_t)((e->flags & (GTF_reading | GTF_writing)) |
                          (draw(4) ? GTF_permit_access : draw(4)) | (draw(2) ? GTF_readonly : 0));
}

static void map_one(void)
{
    unsigned user = draw(FAKE_DOMAINS);
    unsigned place = draw(PLACES);
    struct mapped *m = &model[user][place];
    struct gnttab_map_grant_ref op = {
        .host_addr = (uint64_t)(FIRST_GAP + place) << PAGE_SHIFT,
        .flags = GNTMAP_host_map | (draw(2) ? GNTMAP_readonly : 0u),
        .ref = draw(REFS),
        .dom = (uint16_t)draw(FAKE_DOMAINS + 1),
    };
    struct grant_entry_v1 before = {0};

    if (op.dom < FAKE_DOMAINS)
        before = *entry(op.dom, op.ref);
    grant_map(&fake_domain[user], &op);
    if (op.status != GNTST_okay)
        return;
    EXPECT(!m->is);
    EXPECT(op.dom < FAKE_DOMAINS && before.domid == user);
    EXPECT((before.flags & GTF_type_mask) == GTF_permit_access);
    EXPECT((op.flags & GNTMAP_readonly) || !(before.flags & GTF_readonly));
    *m = (struct mapped){.is = true,
                         .owner = op.dom,
                         .ref = op.ref,
                         .readonly = (op.flags & GNTMAP_readonly) != 0,
                         .handle = op.handle,
                         .mfn = op.dev_bus_addr >> PAGE_SHIFT};
}

static void unmap_one(void)
{
    unsigned user = draw(FAKE_DOMAINS);
    unsigned place = draw(PLACES);
    struct mapped *m = &model[user][place];
    struct grant_batch batch = {.count = 0};
    struct gnttab_unmap_grant_ref op = {.host_addr = (uint64_t)(FIRST_GAP + place) << PAGE_SHIFT,
                                        .handle = m->is && draw(8) ? m->handle : draw(256)};
    bool right = m->is && op.handle == m->handle;

    grant_unmap(&fake_domain[user], &op, &batch);
    grant_batch_flush(&fake_domain[user], &batch);
    EXPECT((op.status == GNTST_okay) == right);
    if (right)
        m->is = false;
}

static void copy_one(void)
{
    unsigned user = draw(FAKE_DOMAINS);
    struct gnttab_copy op = {.len = (uint16_t)draw(64), .flags = (uint16_t)draw(4)};

    op.source.domid = op.flags & GNTCOPY_source_gref ? (uint16_t)draw(FAKE_DOMAINS) : DOMID_SELF;
    op.source.u.gmfn = draw(2) ? draw(FAKE_DOMAIN_PAGES + 2) : FIRST_GAP + draw(PLACES);
    op.dest.domid = op.flags & GNTCOPY_dest_gref ? (uint16_t)draw(FAKE_DOMAINS) : DOMID_SELF;
    op.dest.u.gmfn = draw(FAKE_DOMAIN_PAGES + 2);
    op.dest.offset = (uint16_t)(draw(256) * 17);
    grant_copy(&fake_domain[user], &op);
    EXPECT(op.status != GNTST_okay || op.dest.offset + op.len <= (int)PAGE_SIZE);
}

/* The owner gives a page away, and takes a new one. */
static void lose_page(void)
{
    struct domain *d = &fake_domain[draw(FAKE_DOMAINS)];
    struct release release = {.domain = d};
    gfn_t gfn = {draw(FAKE_DOMAIN_PAGES)};

    EXPECT(release_take(&release, gfn, 1u << P2M_RAM) == 0);
    release_flush(&release);
    EXPECT(reserve_populate(d, gfn, 0, false) == 0);
}

static void drop_all_of_one(void)
{
    unsigned user = draw(FAKE_DOMAINS);

    grant_unmap_all(&fake_domain[user]);
    memset(model[user], 0, sizeof(model[user]));
}

/* Who has it mapped has a page of its own instead; but for the one with an unsafe device. */
static unsigned revoke_all(unsigned owner)
{
    unsigned kept = 0;

    for (unsigned i = 0; i < FAKE_DOMAINS * PLACES; i++) {
        struct mapped *m = &model[i / PLACES][i % PLACES];

        if (!m->is || m->gone || m->owner != owner)
            continue;
        m->gone = i / PLACES != fake_unsafe;
        kept += !m->gone;
        if (m->gone)
            m->mfn = pool_mfn(fake_domain[i / PLACES].scratch).v;
    }
    return kept;
}

static bool is_kept(uint64_t mfn)
{
    for (unsigned p = 0; p < PLACES && fake_unsafe < FAKE_DOMAINS; p++)
        if (model[fake_unsafe][p].is && model[fake_unsafe][p].mfn == mfn)
            return true;
    return false;
}

/* A domain ends, and none of its frames is in use; another comes under the same number. */
static void die(void)
{
    unsigned id = draw(FAKE_DOMAINS);
    struct domain *d = &fake_domain[id];
    struct gnttab_map_grant_ref op = {.host_addr = (uint64_t)FIRST_GAP << PAGE_SHIFT,
                                      .flags = GNTMAP_host_map | GNTMAP_readonly,
                                      .ref = draw(REFS),
                                      .dom = (uint16_t)id};
    uint16_t owner;

    d->dying = true;
    grant_unmap_all(d);
    memset(model[id], 0, sizeof(model[id]));
    grant_revoke_all(d);
    EXPECT(d->refs == 1 + revoke_all(id));
    tlb_flush_p2m(&d->p2m);
    p2m_fini(&d->p2m);
    for (uint64_t mfn = FAKE_FIRST + FAKE_POOL; mfn < FAKE_FIRST + FAKE_FRAMES; mfn++)
        EXPECT(frame_kind((mfn_t){mfn}, &owner) != FRAME_DOMAIN || owner != id || is_kept(mfn));
    grant_map(&fake_domain[(id + 1) % FAKE_DOMAINS], &op);
    EXPECT(op.status == GNTST_bad_gntref || fake_strangers[0] < FAKE_DOMAINS);

    d->dying = false;
    d->frames = 0;
    EXPECT(p2m_init(&d->p2m, d) == 0);
    memset(seen[id], 0, sizeof(seen[id]));
    for (uint64_t gfn = 0; gfn < FAKE_DOMAIN_PAGES; gfn++)
        EXPECT(reserve_populate(d, (gfn_t){gfn}, 0, false) == 0);
}

static void (*const moves[])(void) = {lend,      lend,      map_one,  map_one,   map_one,
                                      unmap_one, unmap_one, copy_one, lose_page, drop_all_of_one,
                                      die};

/* ---- what must hold ---------------------------------------------------------------- */

static void check_marks(unsigned owner, unsigned ref)
{
    unsigned readers = 0;
    unsigned writers = 0;
    uint16_t flags = entry(owner, ref)->flags;

    for (unsigned u = 0; u < FAKE_DOMAINS; u++)
        for (unsigned p = 0; p < PLACES; p++)
            if (model[u][p].is && !model[u][p].gone && model[u][p].owner == owner &&
                model[u][p].ref == ref)
                *(model[u][p].readonly ? &readers : &writers) += 1;
    EXPECT(!!(flags & GTF_writing) == (writers > 0));
    EXPECT(!!(flags & GTF_reading) == (readers + writers > 0));
}

static void check_all(void)
{
    for (unsigned u = 0; u < FAKE_DOMAINS; u++) {
        unsigned mapped = 0;

        for (unsigned p = 0; p < PLACES; p++) {
            enum p2m_type type;
            uint64_t mfn = p2m_lookup(&fake_domain[u].p2m, (gfn_t){FIRST_GAP + p}, &type).v;
            uint16_t owner;

            mapped += model[u][p].is;
            EXPECT(model[u][p].is == (type == P2M_GRANT || type == P2M_GRANT_RO));
            if (!model[u][p].is)
                continue;
            EXPECT((type == P2M_GRANT_RO) == model[u][p].readonly);
            EXPECT(mfn == model[u][p].mfn);
            if (model[u][p].gone)
                continue;
            /* Whatever the owner did since: the frame is not free. */
            EXPECT(frame_kind((mfn_t){mfn}, &owner) == FRAME_DOMAIN && owner == model[u][p].owner);
        }
        EXPECT(fake_domain[u].grants->mapped == mapped);
        check_seen(u);
        look(u);
        for (unsigned r = 0; r < REFS; r++)
            check_marks(u, r);
    }
}

void grant_moves(const uint8_t *from, size_t len)
{
    bytes = from;
    left = len;
    memset(model, 0, sizeof(model));
    memset(seen, 0, sizeof(seen));
    fake_domains();
    fake_on_kick = kick;
    if (draw(4) == 0)
        fake_unsafe = draw(FAKE_DOMAINS);
    if (draw(4) == 0) {
        fake_strangers[0] = draw(FAKE_DOMAINS);
        fake_strangers[1] = draw(FAKE_DOMAINS);
    }
    while (left > 0) {
        moves[draw(sizeof(moves) / sizeof(moves[0]))]();
        check_all();
    }
    fake_domains_end();
}
