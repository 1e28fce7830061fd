/* Random moves over domains that own devices: after each, every device reaches what it may. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "iommu/fake_units.h"

/* The pretend domains and units, on; and back to nothing. */
void moves_begin(const struct fake_vendor *vendor);
void moves_end(void);

/* Everything that can be reached, and everything else, through every function. */
void moves_check(void);

/* Bytes for them, the same for the same seed. */
void moves_fill(uint8_t *to, size_t len, uint64_t seed);

/* Each byte decides something. */
void iommu_moves(const struct fake_vendor *vendor, const uint8_t *from, size_t len);
