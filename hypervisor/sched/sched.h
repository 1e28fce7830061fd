/* Who runs: round robin with a boost for those who just woke. */
#ifndef SCHED_SCHED_H
#define SCHED_SCHED_H

#include <stdbool.h>

struct vcpu;

/* Puts a vCPU that is down, or newly unpaused, among the runnable. */
void sched_start(struct vcpu *v);
void sched_down(struct vcpu *v); /* out, until started again */

/* A blocked vCPU has something to do; from any context, also from interrupts. */
void sched_wake(struct vcpu *v);

/* The vCPU has nothing to do: it sleeps unless something came meanwhile. The caller returns to the scheduler. */
void sched_block(struct vcpu *v);
void sched_yield(struct vcpu *v);

/* Counted; pause returns when the vCPU runs nowhere (but for the caller's own, at its next exit). */
void sched_pause(struct vcpu *v);
void sched_unpause(struct vcpu *v);

/* Each CPU's end of start-up: runs vCPUs for ever. */
_Noreturn void sched_loop(void);

/* Time's share is over or a better one woke: vcpu_run should return to the loop. */
bool sched_wanted(void);

#endif
