/*
 * A pretend machine under the core's own code: a few CPUs, some memory, windows
 * over it, a serial port. It also watches: after each test no window may be
 * left open, no lock held, no reading section entered.
 */
#ifndef FAKE_ARCH_H
#define FAKE_ARCH_H

#include <setjmp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <abi/addr.h>

#include "vcpu/vcpu.h"

#define FAKE_CPUS   4u
#define FAKE_FIRST  0x100u /* the first frame of RAM */
#define FAKE_FRAMES 4096u  /* 16 MiB: the pool, then memory for domains */
#define FAKE_POOL   512u   /* frames of it */

#define FAKE_LOW_END 0x800u /* frames below are given last */

/* Memory as after start-up: frame table and pool are there, the rest is free. Windows are closed.
 */
void fake_machine(void);

/* A frame's bytes, past all windows. */
void *fake_frame(uint64_t mfn);

/* Becomes another CPU; the one before. */
unsigned fake_cpu_enter(unsigned id);

/* What happens when someone waits, kicks a CPU, or has stored to a table. NULL: nothing. */
extern void (*fake_on_relax)(void);
extern void (*fake_on_kick)(unsigned id);
extern void (*fake_on_table)(uint64_t *slot, uint64_t old, uint64_t value);

/* A broken invariant jumps here with value 1 instead of ending the test program. */
extern jmp_buf *fake_on_check;

/* Everything sent by the UART since the last call, NUL-terminated. */
const char *fake_uart_sent(void);

/* Bytes that the UART will give. */
void fake_uart_type(const char *text);
extern bool fake_uart_listens;

/* How every vCPU's linear addresses are translated. */
extern struct vcpu_mode fake_mode;

/* What clock_now says. */
extern uint64_t fake_clock;

#endif
