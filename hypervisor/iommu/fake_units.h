/*
 * For tests: a machine with two units of either vendor and three functions behind
 * them. Its registers, configuration space and memory are here; what the units do
 * is each vendor's.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "pci/function.h"

#define FAKE_UNITS     2u
#define FAKE_UNIT_BASE 0xfed80000ull
#define FAKE_UNIT_LEN  0x8000u
#define FAKE_FUNCTIONS 3u    /* 00:01.0 at unit 0, 00:04.0 and 01:00.0 at unit 1 */
#define FAKE_BRIDGE    0x10u /* to bus 1 */
#define FAKE_KEPT      0x18u /* firmware has it use memory of its own */
#define FAKE_MESSAGE   0xfee03000ull
#define FAKE_VECTOR    0x40u /* of the units themselves */
#define FAKE_UNIT_AT   0x40u /* where AMD's have the capability that is theirs */
#define FAKE_MSI_AT    0x50u /* where AMD's have the capability for it */

/* A vendor's units; dma and send are for requests under any name, what a function sends is below.
 */
struct fake_vendor {
    /* The units are as firmware leaves them, and its table is read. */
    void (*start)(void);
    /* Before a register is read. */
    void (*look)(unsigned unit, unsigned at);
    void (*write)(unsigned unit, unsigned at, unsigned size, uint64_t value);
    int64_t (*dma)(unsigned unit, uint16_t bdf, uint64_t address, bool write);
    int (*send)(unsigned unit, uint16_t bdf, uint64_t address, uint32_t data);
};

/*
 * As the specifications have them at their worst: they keep whatever they have seen
 * until they are told to forget it, and refuse every reserved bit.
 */
extern const struct fake_vendor fake_vtd, fake_amdvi;
extern uint64_t fake_cap, fake_ecap; /* what VT-d's can */
extern uint64_t fake_features;       /* what AMD's can */
extern bool fake_keeps_absent;       /* AMD's remember what was not there */
extern bool fake_event_late;         /* AMD's move the log's tail first, and then write the event */

extern uint16_t fake_bdf[FAKE_FUNCTIONS]; /* may be moved before start */
extern const uint8_t fake_unit_of[FAKE_FUNCTIONS];
extern struct pci_function fake_function[FAKE_FUNCTIONS + FAKE_UNITS]; /* the units' own: last */
extern unsigned fake_faults; /* interrupts for what was blocked */

/* The machine's table is read and its units are off; counters are zero. */
void fake_units(const struct fake_vendor *vendor);

/* The function reads or writes; the machine address it reaches, or negative and a fault. */
int64_t fake_dma(unsigned function, uint64_t address, bool write);

/* It sends a message; the vector that is raised, or negative. */
int fake_send(unsigned function, uint64_t address, uint32_t data);

/* ---- for the units ----------------------------------------------------------------------- */

uint64_t fake_reg(unsigned unit, unsigned at, unsigned size);
void fake_reg_set(unsigned unit, unsigned at, unsigned size, uint64_t value);

/* A unit forgets that it could reach a frame: until then that was nobody else's. */
void fake_forgets(uint64_t mfn);

/* A word of memory: as it is, or of what came out of the CPU's caches. */
uint64_t fake_word(uint64_t address, bool coherent);
