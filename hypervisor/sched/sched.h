/*
 * Who runs: round robin with a boost for those who just woke. Each CPU has its
 * queue; a vCPU stays on the CPU it was given.
 */
#pragma once

#include <stdint.h>

struct vcpu;

/* A vCPU that is down becomes runnable (unless it is paused), or is taken down. */
void sched_start(struct vcpu *v);
void sched_down(struct vcpu *v);

/* A blocked vCPU has something to do; a running one looks again. From any context. */
void sched_wake(struct vcpu *v);

/*
 * The current vCPU has nothing to do: it sleeps unless something came
 * meanwhile. The caller returns to the scheduler.
 */
void sched_block(struct vcpu *v);
void sched_yield(struct vcpu *v);

/*
 * Counted. Returns when the vCPU runs nowhere; the current one stops at its
 * next entry.
 */
void sched_pause(struct vcpu *v);
void sched_unpause(struct vcpu *v);

/* The vCPU is freed: no CPU keeps its vector registers loaded. It is paused or down. */
void sched_forget(struct vcpu *v);

/* Nanoseconds that it ran. */
uint64_t sched_cpu_time(const struct vcpu *v);

/* The runstate as the guest sees it, brought up to now. */
struct vcpu_runstate_info sched_runstate(const struct vcpu *v);

/* Each CPU's end of start-up: runs vCPUs for ever. */
_Noreturn void sched_loop(void);
