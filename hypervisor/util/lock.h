/*
 * Spin locks with an order.
 *
 * The core runs with interrupts off but for two places where no lock is held
 * (the idle halt and the window after a VM exit), so a lock never needs to save
 * the interrupt state.
 *
 * Order: a lock may be taken only while all locks held by this CPU have a lower
 * rank. Two locks of one rank are taken by lock_pair, lower address first.
 * Checked each time.
 */
#pragma once

#include <stdint.h>

enum lock_rank {
    LOCK_DOMAINS, /* the list of domains */
    LOCK_DOMAIN,  /* one domain's life cycle, rights, parameters */
    LOCK_PCI,     /* who owns which function, virtual configuration space */
    LOCK_GRANT,   /* one domain's grant table and mappings */
    LOCK_P2M,     /* one domain's nested page tables */
    LOCK_EVENT,   /* one domain's event channels */
    LOCK_SCHED,   /* one CPU's run queue */
    LOCK_TIMER,   /* one CPU's timers */
    LOCK_IOMMU,   /* what devices may do, the units' queues */
    LOCK_FRAMES,  /* the free frames */
    LOCK_POOL,    /* the core's own pages and heap */
    LOCK_CONSOLE, /* the log and the UART */
    LOCK_RANKS
};

struct lock {
    uint16_t next;    /* ticket to be drawn */
    uint16_t serving; /* ticket that may go on */
    uint8_t rank;
};

#define LOCK_INIT(r)                                                                               \
    {                                                                                              \
        .rank = (r)                                                                                \
    }

void lock_init(struct lock *lock, enum lock_rank rank);
void lock_acquire(struct lock *lock);
void lock_release(struct lock *lock);

/* Held from here to the end of the block, whichever way it is left. */
#define LOCK_SCOPE(l)                                                                              \
    __attribute__((cleanup(lock_scope_leave), unused)) struct lock *held = lock_scope_enter(l)

static inline struct lock *lock_scope_enter(struct lock *lock)
{
    lock_acquire(lock);
    return lock;
}

static inline void lock_scope_leave(struct lock **held)
{
    lock_release(*held);
}

/* Both of one rank, in an order that cannot deadlock; they may be the same lock. */
void lock_pair_acquire(struct lock *a, struct lock *b);
void lock_pair_release(struct lock *a, struct lock *b);
