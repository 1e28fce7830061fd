/* Order of memory accesses beyond what x86 keeps by itself. */
#ifndef ARCH_BARRIER_H
#define ARCH_BARRIER_H

/* Stores before it are seen by all before any load after it. */
static inline void barrier_full(void)
{
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
}

#endif
