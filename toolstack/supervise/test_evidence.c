/* What is kept of a crash: copied before the next life begins, hostile, and only the last one. */
#include "rig.h"

#include <string.h>

#include <check.h>
#include <xen/sched.h>

static struct fake_domain *const d = &fake_domains[1];

static struct life_page *page(void)
{
    return (struct life_page *)(void *)d->life;
}

static void die(uint32_t kind, uint64_t rsp, unsigned reason)
{
    page()->end.kind = kind;
    page()->end.vector = 14;
    page()->end.registers[LIFE_RSP] = rsp;
    (void)strcpy(page()->end.why, "because");
    page()->logged = 3;
    memcpy(page()->log, "hm\n", 3);
    fake_shutdown(1, reason);
    supervise_step(&s);
}

/* The page is clean for the next life, and what was on it is kept. */
TEST(an_exception)
{
    begin_ours();
    EXPECT(!block_entry->evidence && block_entry->lives == 1);
    memset(d->ram + 0x300000, 0x5a, 8192);
    fake_now += 7 * SECOND;
    die(LIFE_EXCEPTION, 0x300ff8, SHUTDOWN_crash);

    const struct evidence *v = block_entry->evidence;

    EXPECT(v && v->has_page && v->page.end.kind == LIFE_EXCEPTION && v->page.end.vector == 14);
    EXPECT(v->domid == 1 && v->life == 1 && strcmp(v->what, "crashed") == 0);
    EXPECT(v->died - v->started == 7 * SECOND && strcmp(v->kernel, block.kernel) == 0);
    EXPECT(v->stack_base == 0x300ff8 && v->stack_len == EVIDENCE_STACK && v->stack[0] == 0x5a);
    EXPECT(memcmp(v->page.log, "hm\n", 3) == 0);
    EXPECT(page()->magic == LIFE_MAGIC && page()->end.kind == LIFE_GOES_ON && page()->logged == 0);
    EXPECT(d->resets == 1 && block_entry->lives == 2);

    die(LIFE_WORD, 0, SHUTDOWN_crash);
    v = block_entry->evidence;
    EXPECT(v->life == 2 && v->page.end.kind == LIFE_WORD &&
           strcmp(v->page.end.why, "because") == 0);
    end();
}

/* A stack pointer that points nowhere, or to the end of memory, gives what there is. */
TEST(stacks_that_are_none)
{
    static const struct {
        uint64_t rsp;
        size_t len;
    } cases[] = {
        {UINT64_MAX, 0},   {0x100000000ull, 0}, {FAKE_RAM, 0}, {FAKE_RAM - 4096 - 16, 4096 + 16},
        {FAKE_RAM - 3, 8}, /* not aligned: the word that it is in */
    };

    begin_ours();
    for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        fake_now += 3600 * SECOND;
        die(LIFE_EXCEPTION, cases[i].rsp, SHUTDOWN_crash);
        EXPECT(block_entry->evidence->stack_len == cases[i].len);
    }
    end();
}

/* The page that it spoilt says nothing, and neither does a record of no known kind. */
TEST(pages_that_lie)
{
    begin_ours();
    memset(d->life, 0xff, sizeof(d->life));
    fake_shutdown(1, SHUTDOWN_crash);
    supervise_step(&s);
    EXPECT(!block_entry->evidence->has_page && block_entry->evidence->stack_len == 0);
    die(77, 0x300000, SHUTDOWN_crash);
    EXPECT(block_entry->evidence->has_page && block_entry->evidence->stack_len == 0);
    end();
}

/* Who powers off without a word from its program has crashed; with it, it has not. */
TEST(a_halt_in_the_middle)
{
    begin_ours();
    die(LIFE_GOES_ON, 0, SHUTDOWN_poweroff);
    EXPECT(d->resets == 1 && block_entry->phase == ENTRY_LIVE);
    EXPECT(strcmp(block_entry->evidence->what, "halted in the middle") == 0);
    die(LIFE_ORDERLY, 0, SHUTDOWN_poweroff);
    EXPECT(block_entry->phase == ENTRY_STOPPED && !d->exists);
    EXPECT(block_entry->evidence->life == 1);
    end();
}

/* A stock guest has no page: that it crashed is all that is known. */
TEST(a_guest)
{
    begin_running();
    fake_shutdown(2, SHUTDOWN_crash);
    supervise_step(&s);
    EXPECT(guest_entry->evidence && !guest_entry->evidence->has_page);
    EXPECT(guest_entry->evidence->domid == 2 && guest_entry->phase != ENTRY_LIVE);
    end();
}
