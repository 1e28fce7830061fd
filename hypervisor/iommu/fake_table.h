/* For tests: a DMAR table, piece after piece. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define SCOPE_FUNCTION 1u
#define SCOPE_BRIDGE   2u
#define SCOPE_IOAPIC   3u

extern uint8_t fake_table[1024];
extern uint32_t fake_table_len;

void table_begin(void);
void table_unit(uint64_t base, uint16_t segment, bool rest);
void table_region(uint16_t segment);

/* Of the last unit or region: up to three devices and functions from a bus on, 0xff: no more. */
void table_scope(unsigned type, unsigned id, unsigned bus, const uint8_t devfn[3]);
