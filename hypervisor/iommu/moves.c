/* Random moves over domains that own devices: after each, every device reaches what it may. */
#include "iommu/moves.h"

#include "check.h"
#include "fake_arch.h"
#include "fake_domain.h"

#include <arch/tlb.h>

#include "grant/grant.h"
#include "iommu/iommu.h"
#include "mm/frame.h"
#include "mm/heap.h"
#include "mm/reserve.h"
#include "pci/function.h"
#include "svm/svm.h"

#define REFS      4u
#define PLACES    4u
#define FIRST_GAP 64u
#define LARGE     512u /* where a page of 2 MiB can be */
#define LARGE_END (LARGE + 512u)
#define HIGH      0x8000001ull /* behind the first 512 GiB */
#define MESSAGES  4u

static struct {
    uint32_t handle;
    bool is;
} grants[FAKE_DOMAINS][PLACES];
static struct domain *owners[FAKE_FUNCTIONS];
static struct {
    struct iommu_message message;
    unsigned function, vector; /* 0: none */
} messages[MESSAGES];
static const uint8_t *bytes;
static size_t left;

static const struct virt_ops nested = {
    .name = "nested", .nested_leaf = svm_nested_leaf, .nested_table = svm_nested_table};

static unsigned draw(unsigned below)
{
    if (left == 0)
        return 0;
    left--;
    return *bytes++ % below;
}

/* ---- moves ------------------------------------------------------------------------------- */

static void lend(void)
{
    struct grant_entry_v1 *e = &fake_domain[draw(FAKE_DOMAINS)].grants->entry[0][draw(REFS)];

    e->frame = draw(2) ? draw(FAKE_DOMAIN_PAGES) : LARGE + draw(4);
    e->domid = (uint16_t)draw(FAKE_DOMAINS);
    e->flags = (uint16_t)((e->flags & (GTF_reading | GTF_writing)) | GTF_permit_access |
                          (draw(2) ? GTF_readonly : 0));
}

static void map_one(void)
{
    unsigned user = draw(FAKE_DOMAINS);
    unsigned place = draw(PLACES);
    struct gnttab_map_grant_ref op = {
        .host_addr = (uint64_t)(FIRST_GAP + place) << PAGE_SHIFT,
        .flags = GNTMAP_host_map | (draw(2) ? GNTMAP_readonly : 0u),
        .ref = draw(REFS),
        .dom = (uint16_t)draw(FAKE_DOMAINS),
    };

    grant_map(&fake_domain[user], &op);
    if (op.status != GNTST_okay)
        return;
    grants[user][place].is = true;
    grants[user][place].handle = op.handle;
}

static void unmap_one(void)
{
    unsigned user = draw(FAKE_DOMAINS);
    unsigned place = draw(PLACES);
    struct grant_batch batch = {.count = 0};
    struct gnttab_unmap_grant_ref op = {.host_addr = (uint64_t)(FIRST_GAP + place) << PAGE_SHIFT,
                                        .handle = grants[user][place].handle};

    if (!grants[user][place].is)
        return;
    grants[user][place].is = false;
    grant_unmap(&fake_domain[user], &op, &batch);
    grant_batch_flush(&fake_domain[user], &batch);
    EXPECT(op.status == GNTST_okay);
}

static uint64_t some_page(void)
{
    return draw(2) ? draw(FAKE_DOMAIN_PAGES) : draw(8) ? LARGE + draw(8) : HIGH;
}

static void balloon_out(void)
{
    struct domain *d = &fake_domain[draw(FAKE_DOMAINS)];
    struct release release = {.domain = d};

    for (unsigned n = draw(3); n > 0; n--)
        (void)!release_take(&release, (gfn_t){some_page()}, 1u << P2M_RAM);
    release_flush(&release);
}

static void balloon_in(void)
{
    struct domain *d = &fake_domain[draw(FAKE_DOMAINS)];

    if (draw(3))
        (void)!reserve_populate(d, (gfn_t){some_page()}, 0, false);
    else
        (void)!reserve_populate(d, (gfn_t){LARGE}, FRAME_ORDER_2M, false);
    p2m_prune(&d->p2m, (gfn_t){HIGH});
}

static void give(void)
{
    unsigned i = draw(FAKE_FUNCTIONS);
    struct domain *d = &fake_domain[draw(FAKE_DOMAINS)];

    if (owners[i])
        return;
    EXPECT(iommu_attach(&fake_function[i], &d->p2m) == 0);
    owners[i] = d;
}

static void message_drop(unsigned i)
{
    if (messages[i].vector)
        iommu_message_drop(i);
    messages[i].vector = 0;
}

static void take(unsigned i)
{
    if (!owners[i])
        return;
    iommu_detach(&fake_function[i], false);
    owners[i] = NULL;
    for (unsigned m = 0; m < MESSAGES; m++)
        if (messages[m].function == i)
            message_drop(m);
}

static void take_one(void)
{
    take(draw(FAKE_FUNCTIONS));
}

/* Its devices were at work to the last; a new domain comes under the same number. */
static void die(void)
{
    unsigned who = draw(FAKE_DOMAINS);
    struct domain *d = &fake_domain[who];
    uint16_t owner;

    for (unsigned i = 0; i < FAKE_FUNCTIONS; i++)
        if (owners[i] == d)
            take(i);
    d->dying = true;
    grant_unmap_all(d);
    grant_revoke_all(d);
    for (unsigned p = 0; p < PLACES; p++)
        grants[who][p].is = false;
    tlb_flush_p2m(&d->p2m);
    p2m_fini(&d->p2m);
    EXPECT(d->refs == 1);
    for (uint64_t mfn = FAKE_FIRST + FAKE_POOL; mfn < FAKE_FIRST + FAKE_FRAMES; mfn++)
        EXPECT(frame_kind((mfn_t){mfn}, &owner) != FRAME_DOMAIN || owner != who);
    d->dying = false;
    d->frames = 0;
    EXPECT(p2m_init(&d->p2m, d) == 0);
}

static void message_make(void)
{
    unsigned i = draw(MESSAGES);
    unsigned function = draw(FAKE_FUNCTIONS);

    message_drop(i);
    if (!owners[function] || draw(4) == 0)
        return;
    messages[i].function = function;
    messages[i].vector = 0x50 + draw(16);
    messages[i].message = iommu_message_make(i, fake_function[function].bdf, messages[i].vector);
}

static void (*const moves[])(void) = {lend,      lend,         map_one,    map_one,
                                      unmap_one, balloon_out,  balloon_in, give,
                                      take_one,  message_make, die};

/* ---- what must hold ------------------------------------------------------------------------ */

/* What a function may do there, by what its owner's CPUs may: 1 read, 2 write. */
static unsigned rights_at(struct domain *d, uint64_t gfn, uint64_t *mfn)
{
    enum p2m_type type = P2M_EMPTY;
    uint16_t owner;

    *mfn = d ? p2m_lookup(&d->p2m, (gfn_t){gfn}, &type).v : 0;
    if (type == P2M_EMPTY)
        return 0;
    EXPECT(type == P2M_RAM || type == P2M_GRANT || type == P2M_GRANT_RO);
    if (type != P2M_RAM && *mfn == pool_mfn(d->scratch).v) /* a grant of one that died */
        return type == P2M_GRANT_RO ? 1 : 3;
    EXPECT(frame_kind((mfn_t){*mfn}, &owner) == FRAME_DOMAIN);
    EXPECT(type != P2M_RAM || owner == d->id);
    return type == P2M_GRANT_RO ? 1 : 3;
}

static void check_page(unsigned i, uint64_t gfn)
{
    uint64_t mfn;
    unsigned rights = rights_at(owners[i], gfn, &mfn);

    for (unsigned write = 0; write < 2; write++) {
        int64_t to = fake_dma(i, gfn << PAGE_SHIFT | 8, write != 0);

        EXPECT(to == (rights >> write & 1 ? (int64_t)(mfn << PAGE_SHIFT | 8) : -1));
    }
}

static void check_messages(unsigned i)
{
    for (unsigned m = 0; m < MESSAGES; m++) {
        bool may = messages[m].vector && messages[m].function == i;

        EXPECT(fake_send(i, messages[m].message.address, messages[m].message.data) ==
                   (may ? (int)messages[m].vector : -1) ||
               messages[m].message.address == 0);
    }
    EXPECT(fake_send(i, 0xfee03000, 0x31) < 0);
}

void moves_check(void)
{
    for (unsigned i = 0; i < FAKE_FUNCTIONS; i++) {
        for (uint64_t gfn = 0; gfn < FAKE_DOMAIN_PAGES; gfn++)
            check_page(i, gfn);
        for (uint64_t gfn = FIRST_GAP; gfn < FIRST_GAP + PLACES; gfn++)
            check_page(i, gfn);
        for (uint64_t gfn = LARGE; gfn < LARGE + 10; gfn++)
            check_page(i, gfn);
        check_page(i, LARGE_END - 1);
        check_page(i, LARGE_END);
        check_page(i, HIGH);
        check_messages(i);
        iommu_interrupt(0);
    }
}

void moves_begin(const struct fake_vendor *vendor)
{
    uint64_t pool_before;

    virt = &nested;
    fake_machine();
    fake_units(vendor);
    pool_before = pool_bytes_free();
    iommu_init();
    EXPECT(iommu_is_on());
    fake_pool_kept = pool_before - pool_bytes_free();
    fake_domains_make();
    for (unsigned i = 0; i < FAKE_DOMAINS; i++) {
        fake_domain[i].frames_max = 2048;
        for (unsigned p = 0; p < PLACES; p++)
            grants[i][p].is = false;
    }
    for (unsigned m = 0; m < MESSAGES; m++)
        messages[m].vector = 0, messages[m].message.address = 0;
    /* The tables of both buses stay, or those of each function's interrupts. */
    pool_before = pool_bytes_free();
    for (unsigned i = 0; i < FAKE_FUNCTIONS; i++) {
        owners[i] = NULL;
        EXPECT(iommu_attach(&fake_function[i], &fake_domain[0].p2m) == 0);
        iommu_detach(&fake_function[i], false);
    }
    fake_pool_kept += pool_before - pool_bytes_free();
}

void moves_end(void)
{
    for (unsigned i = 0; i < FAKE_FUNCTIONS; i++)
        take(i);
    moves_check();
    fake_domains_end();
    fake_pool_kept = 0;
}

void iommu_moves(const struct fake_vendor *vendor, const uint8_t *from, size_t len)
{
    bytes = from;
    left = len;
    moves_begin(vendor);
    moves_check();
    while (left > 0) {
        moves[draw(sizeof(moves) / sizeof(moves[0]))]();
        moves_check();
    }
    moves_end();
}

void moves_fill(uint8_t *to, size_t len, uint64_t seed)
{
    for (size_t i = 0; i < len; i++) {
        seed = seed * 6364136223846793005ull + 1442695040888963407ull;
        to[i] = (uint8_t)(seed >> 56);
    }
}
