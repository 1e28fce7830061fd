/* The firmware's table of VT-d units (DMAR): which unit contains which function. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define DMAR_UNITS 8u

struct dmar_unit {
    uint64_t base; /* physical address of its registers */
    bool rest;     /* contains every function that no other unit names */
};

struct dmar {
    bool usable; /* read whole, segment 0 only, and interrupts can be remapped */
    unsigned unit_count;
    struct dmar_unit unit[DMAR_UNITS];
};

extern struct dmar dmar;

/* Copies what counts of the table, header included; its length and sum are checked already. */
void dmar_read(const void *table, uint32_t len);

/* The unit that a function's DMA goes through; negative: none. */
int dmar_unit_of(uint16_t bdf);

/*
 * Why a function cannot be given away, or NULL: no unit, or firmware wants it to
 * reach memory of its own for ever (RMRR).
 */
const char *dmar_refusal(uint16_t bdf);

/* Under which bus, device and function an I/O APIC sends interrupts; 0, logged: not told. */
uint16_t dmar_ioapic(uint8_t id);
