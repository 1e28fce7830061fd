/*
 * What a device of a driver domain may reach, and what it may not: its owner's
 * memory, but none that was given back; nor the core's, nor any of the rest of
 * the machine, which is the control domain's and the other guests'.
 */
#include "call.h"
#include "console.h"
#include "engine.h"
#include "grants.h"
#include "mail.h"
#include "peer.h"
#include "result.h"
#include "start.h"

#define CORE     0x200000u /* where the core's image is in the machine */
#define NOBODYS  0x17f0000000ull
#define STEP     0x2000000ull /* the victim's memory and its initrd are longer than that */
#define TEXT_LEN (sizeof(BUNDLE_TEXT) - 1)

static uint8_t page[3][PAGE_SIZE] __attribute__((aligned(4096)));

/* ---- its own memory --------------------------------------------------------------------- */

static void own_memory(void)
{
    uint64_t before = engine_blocked();

    EXPECT(!engine_contained() || engine_address(page[0]) == call_address(page[0]));
    engine_fill(page[0], 0x3c);
    engine_fill(page[1], 0);
    engine->load(engine_address(page[0]));
    engine->store(engine_address(page[1]));
    EXPECT(engine_count(page[1], 0x3c) == LEN && engine_count(page[1] + LEN, 0x3c) == 0);
    EXPECT(engine_blocked() == before);
}

TEST(its_own_memory)
{
    engine_each(own_memory);
}

/* By the address that was good before, with the device still at it. */
static void freed_page(void)
{
    uint64_t at = engine_address(page[1]), before;

    engine_spoil(at, 0x77);
    EXPECT(engine_count(page[1], 0x77) == LEN);
    EXPECT(grants_hole(page[1]) == 0);
    before = engine_blocked();
    engine_spoil(at, 0x78);
    EXPECT(engine_was_told(before));
    before = engine_blocked();
    EXPECT((engine_count((const uint8_t *)(uintptr_t)engine_look(at), 0x78) == LEN) ==
           !engine_contained());
    EXPECT(engine_was_told(before));
    EXPECT(grants_fill(page[1]) == 0);
    EXPECT(engine_count(page[1], 0) == LEN);
}

TEST(a_page_that_it_gave_back)
{
    engine_each(freed_page);
}

/* Not data but the device's own bookkeeping goes there. */
static void freed_ring(void)
{
    uint64_t at = engine_address(page[1]), before;

    if (!engine->note)
        return;
    engine_spoil(at, 0x77);
    EXPECT(grants_hole(page[1]) == 0);
    before = engine_blocked();
    engine->note(at);
    EXPECT(engine_was_told(before));
    if (!engine_contained())
        while (engine_count((const uint8_t *)(uintptr_t)engine_look(at), 0x77) == LEN)
            ;
    engine_open();
    EXPECT(grants_fill(page[1]) == 0);
    EXPECT(engine_count(page[1], 0) == LEN);
}

TEST(a_ring_in_a_page_that_it_gave_back)
{
    engine_each(freed_ring);
}

/* ---- the machine ------------------------------------------------------------------------ */

/* What the core began with, and needs no more: the only part of it that one can write and tell. */
static void core(void)
{
    uint64_t before = engine_blocked();

    EXPECT(engine_saw(engine_look(CORE)) == !engine_contained());
    EXPECT(engine_was_told(before));
    before = engine_blocked();
    engine_spoil(CORE, 0x99);
    EXPECT(engine_was_told(before));
    before = engine_blocked();
    EXPECT((engine_count((const uint8_t *)(uintptr_t)engine_look(CORE), 0x99) == LEN) ==
           !engine_contained());
    EXPECT(engine_was_told(before));
}

TEST(the_cores_memory)
{
    static bool done;

    /* Where this domain has a page of its own by that number. */
    if (!done && engine_contained())
        EXPECT(grants_hole((const void *)(uintptr_t)CORE) == 0);
    done = true;
    engine_each(core);
}

static void nothing(void)
{
    uint64_t before = engine_blocked();

    EXPECT(!engine_saw(engine_look(NOBODYS)));
    EXPECT(engine_was_told(before));
}

TEST(where_nothing_is)
{
    engine_each(nothing);
}

/* ---- the control domain and a guest: found by what they hold ------------------------------ */

static bool is_bundle(const volatile uint8_t *found)
{
    for (unsigned shift = 0; shift < TEXT_LEN; shift++) {
        unsigned same = 0;

        for (unsigned i = 0; i < LEN; i++)
            same += found[i] == (uint8_t)BUNDLE_TEXT[(i + shift) % TEXT_LEN];
        if (same == LEN)
            return true;
    }
    return false;
}

static uint64_t word(const volatile uint8_t *at)
{
    return *(const volatile uint64_t *)(const volatile void *)at;
}

/* All of the machine, from where this domain's own memory ends; each device a page further, as
 * what one has spoilt the next would not know. */
static void everything(void)
{
    static uint64_t turn;
    uint64_t end = start_number("memory=", 0) << 20;
    bool control = false, victim = false;

    for (uint64_t at = STEP + turn++ * PAGE_SIZE; at < end; at += STEP) {
        uint64_t before = engine_blocked();
        const volatile uint8_t *found = engine_look(at);

        EXPECT(engine_was_told(before));
        if (engine_contained()) {
            EXPECT(!engine_saw(found));
            engine_spoil(at, 0x66);
        } else if (is_bundle(found)) {
            control = true;
            engine_spoil(at, 0x66);
        } else if (word(found) == PATTERN_MAGIC) {
            victim = true;
            peer_found(at, (uint32_t)word(found + 8));
        }
    }
    EXPECT(control == !engine_contained());
    EXPECT(victim == !engine_contained());
}

TEST(the_control_domains_memory_and_a_guests)
{
    if (peer_meet())
        engine_each(everything);
}

/* ---- afterwards ------------------------------------------------------------------------- */

/* What was blocked cost the device nothing else. */
TEST(what_is_its_own_goes_on)
{
    engine_each(own_memory);
}
