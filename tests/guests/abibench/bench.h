/* Samples, their statistics and the lines that tell them. */
#ifndef BENCH_H
#define BENCH_H

#include <stdint.h>

#define BENCH_SAMPLES 8192u

/* What every case fills, bench_count of each; three at once is the most a case needs. */
extern uint64_t bench_samples[3][BENCH_SAMPLES];
extern unsigned bench_count;

/* "bench NAME min=.. median=.. mean=.. unit=tsc n=.. p99=.. max=.."; sorts the samples. */
void bench_report(const char *name, uint64_t *samples, unsigned count);

/* "skip NAME rc=..": the hypervisor refused; -1 for what is missing, -1000 for a wrong result. */
void bench_skip(const char *name, long status);

/* What the set-up found. */
extern unsigned bench_first; /* sending on bench_second raises bench_first; 0: no pair */
extern unsigned bench_second;
extern int bench_has_upcall;

/* The cases, one file for each concept. */
void bench_rdtsc(void);
void bench_hypercall(void);
void bench_hypercall_copy(void);
void bench_cpuid(void);
void bench_cpuid_leaf(void);
void bench_yield(void);
void bench_debug_trap(void);
void bench_apic(void);
void bench_event_poll(void);
void bench_event_upcall(void);
void bench_grant_init(void);
void bench_grant_copy(void);
void bench_grant_map(void);
void bench_timer(void);
void bench_populate(void);

#endif
