/* Order of memory accesses beyond what x86 keeps by itself. */
#pragma once

/* Stores before it are seen by all before any load after it. */
static inline void barrier_full(void)
{
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
}
