#include "util/lock.h"

#include "fake_arch.h"
#include <check.h> /* not the one in this folder */

#include <arch/cpu.h>

TEST(order_is_kept)
{
    struct lock low = LOCK_INIT(LOCK_DOMAIN), high = LOCK_INIT(LOCK_P2M);

    lock_acquire(&low);
    lock_acquire(&high);
    lock_release(&low); /* the order of releases is free */
    lock_release(&high);
    EXPECT(cpu_this()->locks_held == 0);
}

static bool breaks(struct lock *held, struct lock *wanted)
{
    jmp_buf where;
    volatile bool broke = true;

    lock_acquire(held);
    fake_on_check = &where;
    if (setjmp(where) == 0) {
        lock_acquire(wanted);
        broke = false;
        lock_release(wanted);
    }
    fake_on_check = NULL;
    lock_release(held);
    return broke;
}

TEST(wrong_order_is_our_bug)
{
    struct lock low = LOCK_INIT(LOCK_DOMAIN), high = LOCK_INIT(LOCK_P2M);
    struct lock same = LOCK_INIT(LOCK_P2M);

    EXPECT(breaks(&high, &low));
    EXPECT(breaks(&high, &same));
    EXPECT(breaks(&high, &high));
    EXPECT(!breaks(&low, &high));
}

TEST(pairs)
{
    struct lock a = LOCK_INIT(LOCK_GRANT), b = LOCK_INIT(LOCK_GRANT);

    lock_pair_acquire(&a, &b);
    lock_pair_release(&a, &b);
    lock_pair_acquire(&b, &a);
    lock_pair_release(&b, &a);
    lock_pair_acquire(&a, &a);
    lock_pair_release(&a, &a);
    EXPECT(a.next == a.serving && b.next == b.serving && a.next == 3);
}

/* A lock that somebody holds: released while we wait. */
static struct lock *contended;

static void let_go(void)
{
    contended->serving++;
}

TEST(waits_for_its_turn)
{
    struct lock l = {.rank = LOCK_EVENT, .next = 1, .serving = 0};

    contended = &l;
    fake_on_relax = let_go;
    lock_acquire(&l);
    EXPECT(l.serving == 1 && l.next == 2);
    lock_release(&l);
}

TEST(tickets_wrap)
{
    struct lock l = {.rank = LOCK_EVENT, .next = UINT16_MAX, .serving = UINT16_MAX};

    lock_acquire(&l);
    lock_release(&l);
    lock_acquire(&l);
    lock_release(&l);
    EXPECT(l.next == 1 && l.serving == 1);
}
