/*
 * For tests: VT-d units as the specification has them at their worst. They see
 * of tables only what was flushed, keep every translation until they are told to
 * forget it, and refuse every reserved bit.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "pci/function.h"

#define FAKE_UNITS     2u
#define FAKE_UNIT_BASE 0xfed90000ull
#define FAKE_FUNCTIONS 3u /* 00:01.0 at unit 0, 00:04.0 and 01:00.0 at unit 1 */
#define FAKE_BRIDGE    0x10u
#define FAKE_KEPT      0x18u /* firmware has it use memory of its own */

extern struct pci_function fake_function[FAKE_FUNCTIONS];
extern uint64_t fake_cap, fake_ecap;
extern unsigned fake_faults; /* interrupts for them */

/* The machine's table is read and its units are off; counters are zero. */
void fake_vtd(void);

/* The function reads or writes; the machine address it reaches, or negative and a fault. */
int64_t fake_dma(unsigned function, uint64_t address, bool write);

/* It sends a message; the vector that is raised, or negative. */
int fake_send(unsigned function, uint64_t address, uint32_t data);
