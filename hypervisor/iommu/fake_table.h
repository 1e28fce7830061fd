/* For tests: a DMAR or IVRS table, piece after piece. */
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

/* ---- IVRS -------------------------------------------------------------------------------- */

#define AMD_ALL          0x01u
#define AMD_ONE          0x02u
#define AMD_FROM         0x03u
#define AMD_TO           0x04u
#define AMD_ONE_ALIASED  0x42u
#define AMD_FROM_ALIASED 0x43u
#define AMD_SPECIAL      0x48u
#define AMD_IOAPIC       1u
#define AMD_HPET         2u

void table_amd_begin(void);
void table_amd_unit(unsigned kind, uint16_t bdf, uint64_t base, uint16_t segment);

/* Of the last unit: of 4 bytes, or of 8 with a second function. */
void table_amd_entry(unsigned type, uint16_t bdf);
void table_amd_alias(unsigned type, uint16_t bdf, uint16_t as);
void table_amd_special(unsigned variety, unsigned id, uint16_t as);

/* Memory of firmware's, for functions from one to another. */
void table_amd_memory(unsigned kind, uint16_t first, uint16_t last);
