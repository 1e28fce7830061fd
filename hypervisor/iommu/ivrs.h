/* The firmware's table of AMD-Vi units (IVRS): which unit contains which function. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define IVRS_UNITS 8u

struct ivrs_unit {
    uint64_t base;      /* physical address of its registers */
    uint16_t bdf;       /* the unit's own PCI function */
    uint8_t capability; /* where it has what it can */
    uint8_t flags;      /* bits 0 to 3: how firmware wants its control register */
};

struct ivrs {
    bool usable; /* read whole, segment 0 only */
    unsigned unit_count;
    struct ivrs_unit unit[IVRS_UNITS];
    uint16_t ioapic[256]; /* by APIC id, under which name it sends; 0: not told */
};

extern struct ivrs ivrs;

/* Copies what counts of the table, header included; its length and sum are checked already. */
void ivrs_read(const void *table, uint32_t len);

/* The unit that a function's DMA goes through; negative: none. */
int ivrs_unit_of(uint16_t bdf);

/*
 * Why a function cannot be given away, or NULL: no unit; firmware wants it to
 * reach memory of its own for ever (IVMD), or others send under the same name.
 */
const char *ivrs_refusal(uint16_t bdf);
