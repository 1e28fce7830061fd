/* Random moves over grants, checked against a model of who has what mapped. */
#include "grant/moves.h"

#include <string.h>

#include "check.h"
#include "fake_arch.h"
#include "fake_domain.h"

#include <arch/tlb.h>

#include "grant/grant.h"
#include "mm/frame.h"
#include "mm/reserve.h"

#define REFS      8u
#define PLACES    8u /* empty frames of each domain, to map into */
#define FIRST_GAP 64u

/* What the model knows of a mapping. */
struct mapped {
    bool is;
    unsigned owner, ref;
    bool readonly;
    uint32_t handle;
    uint64_t mfn;
};

static struct mapped model[FAKE_DOMAINS][PLACES];
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
    op.source.u.gmfn = draw(FAKE_DOMAIN_PAGES + 2);
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

static void (*const moves[])(void) = {lend,      lend,      map_one,  map_one,   map_one,
                                      unmap_one, unmap_one, copy_one, lose_page, drop_all_of_one};

/* ---- what must hold ---------------------------------------------------------------- */

static void check_marks(unsigned owner, unsigned ref)
{
    unsigned readers = 0;
    unsigned writers = 0;
    uint16_t flags = entry(owner, ref)->flags;

    for (unsigned u = 0; u < FAKE_DOMAINS; u++)
        for (unsigned p = 0; p < PLACES; p++)
            if (model[u][p].is && model[u][p].owner == owner && model[u][p].ref == ref)
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
            /* Whatever the owner did since: the frame is not free. */
            EXPECT(frame_kind((mfn_t){mfn}, &owner) == FRAME_DOMAIN && owner == model[u][p].owner);
        }
        EXPECT(fake_domain[u].grants->mapped == mapped);
        for (unsigned r = 0; r < REFS; r++)
            check_marks(u, r);
    }
}

void grant_moves(const uint8_t *from, size_t len)
{
    bytes = from;
    left = len;
    memset(model, 0, sizeof(model));
    fake_domains();
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
