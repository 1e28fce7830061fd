/* Ticket locks, and the check that they are taken in order. */
#include "util/lock.h"

#include <arch/cpu.h>

#include "util/check.h"

void lock_init(struct lock *lock, enum lock_rank rank)
{
    *lock = (struct lock){.rank = (uint8_t)rank};
}

static void ticket_take(struct lock *lock)
{
    uint16_t ticket = __atomic_fetch_add(&lock->next, 1, __ATOMIC_RELAXED);

    while (__atomic_load_n(&lock->serving, __ATOMIC_ACQUIRE) != ticket)
        cpu_relax();
}

static void ticket_give(struct lock *lock)
{
    __atomic_store_n(&lock->serving, (uint16_t)(lock->serving + 1), __ATOMIC_RELEASE);
}

/* Nothing of this rank or above may be held: that is the whole order. */
static void order_enter(unsigned rank)
{
    struct cpu *cpu = cpu_this();

    CHECK(cpu->locks_held >> rank == 0);
    cpu->locks_held |= 1u << rank;
}

static void order_leave(unsigned rank)
{
    struct cpu *cpu = cpu_this();

    CHECK(cpu->locks_held & 1u << rank);
    cpu->locks_held &= ~(1u << rank);
}

void lock_acquire(struct lock *lock)
{
    order_enter(lock->rank);
    ticket_take(lock);
}

void lock_release(struct lock *lock)
{
    ticket_give(lock);
    order_leave(lock->rank);
}

void lock_pair_acquire(struct lock *a, struct lock *b)
{
    struct lock *first = (uintptr_t)a < (uintptr_t)b ? a : b;

    CHECK(a->rank == b->rank);
    order_enter(a->rank);
    ticket_take(first);
    if (a != b)
        ticket_take(first == a ? b : a);
}

void lock_pair_release(struct lock *a, struct lock *b)
{
    ticket_give(a);
    if (a != b)
        ticket_give(b);
    order_leave(a->rank);
}
