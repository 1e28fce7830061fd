/*
 * Another guest's page before, while and after it is mapped by a grant. What
 * the mapping allows is allowed to devices, too, for as long as it is there.
 */
#include "peer.h"

#include "call.h"
#include "console.h"
#include "engine.h"
#include "grants.h"
#include "mail.h"
#include "result.h"
#include "start.h"

#include <xen/sched.h>

static uint8_t post[PAGE_SIZE] __attribute__((aligned(4096)));
static uint8_t place[PAGE_SIZE] __attribute__((aligned(4096)));
static uint64_t machine_at;
static uint32_t machine_page;
static domid_t victim;

void peer_found(uint64_t at, uint32_t page)
{
    machine_at = at;
    machine_page = page;
}

/* ---- the other side --------------------------------------------------------------------- */

static uint32_t ask(enum mail_wish wish)
{
    volatile struct mail *mail = (volatile void *)post;
    uint32_t wishes = mail->wishes + 1;

    mail->wish = wish;
    mail->page = machine_page;
    __atomic_store_n(&mail->wishes, wishes, __ATOMIC_RELEASE);
    while (__atomic_load_n(&mail->answers, __ATOMIC_ACQUIRE) != wishes)
        call_sched(SCHEDOP_yield, NULL);
    return mail->answer;
}

/* It is there once its mailbox can be mapped. */
bool peer_meet(void)
{
    static bool met;
    uint32_t handle;

    victim = (domid_t)start_number("victim=", 0);
    if (victim == 0)
        result_skip("no victim");
    if (met || victim == 0)
        return met;
    EXPECT(grants_hole(post) == 0 && grants_hole(place) == 0);
    while (grants_map(post, victim, MAIL_REF, 0, &handle) != 0)
        call_sched(SCHEDOP_yield, NULL);
    met = true;
    EXPECT(((volatile struct mail *)(volatile void *)post)->magic == MAIL_MAGIC);
    return met;
}

/* ---- one page --------------------------------------------------------------------------- */

/* With an IOMMU a device knows a mapped page by the place where it is mapped, or not at all. */
static uint64_t target(void)
{
    return engine_contained() ? call_address(place) : machine_at;
}

static bool sees(void)
{
    const volatile uint8_t *found = engine_look(target());

    return *(const volatile uint64_t *)(const volatile void *)found == PATTERN_MAGIC;
}

/* Read and written, which must fail behind an IOMMU. */
static void try_all(void)
{
    uint64_t before = engine_blocked();

    EXPECT(sees() == !engine_contained());
    EXPECT(engine_was_told(before));
    before = engine_blocked();
    engine_spoil(target(), 0x55);
    EXPECT(engine_was_told(before));
    EXPECT(ask(MAIL_COUNT) == (engine_contained() ? 0 : 1));
}

static void try_mapped(void)
{
    static uint8_t kept[LEN];
    volatile uint8_t *mapped = place;
    uint64_t before = engine_blocked();
    uint32_t handle;

    EXPECT(ask(MAIL_LEND) == 1);
    EXPECT(grants_map(place, victim, MAIL_LENT, 0, &handle) == 0);
    EXPECT(sees());
    for (unsigned i = 0; i < LEN; i++)
        kept[i] = mapped[i];
    engine_spoil(target(), 0x44);
    EXPECT(engine_count(place, 0x44) == LEN);
    for (unsigned i = 0; i < LEN; i++)
        mapped[i] = kept[i];
    EXPECT(engine_blocked() == before);
    EXPECT(grants_unmap(place, handle) == 0);
    EXPECT(ask(MAIL_TAKE_BACK) == 1 && ask(MAIL_COUNT) == 0);
}

/* Written first: once QEMU's unit has kept the page to be read, it refuses a write, but not aloud.
 */
static void try_readonly(void)
{
    uint64_t before = engine_blocked();
    uint32_t handle;

    EXPECT(ask(MAIL_LEND_READONLY) == 1);
    EXPECT(grants_map(place, victim, MAIL_LENT, GNTMAP_readonly, &handle) == 0);
    engine_spoil(target(), 0x33);
    EXPECT(engine_was_told(before));
    EXPECT(ask(MAIL_COUNT) == (engine_contained() ? 0 : 1));
    before = engine_blocked();
    EXPECT(sees());
    EXPECT(engine_blocked() == before);
    EXPECT(grants_unmap(place, handle) == 0);
    EXPECT(ask(MAIL_TAKE_BACK) == 1);
}

static void grant(void)
{
    try_all();
    try_mapped();
    try_all();
    try_readonly();
    try_all();
}

/* At the end the other side says what became of its memory. */
TEST(a_guests_page_around_a_grant)
{
    if (!peer_meet())
        return;
    engine_each(grant);
    EXPECT(ask(MAIL_END) == 0);
}
