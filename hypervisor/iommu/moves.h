/* Random moves over domains that own devices: after each, every device reaches what it may. */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* The pretend domains and units, on; and back to nothing. */
void moves_begin(void);
void moves_end(void);

/* Everything that can be reached, and everything else, through every function. */
void moves_check(void);

/* Each byte decides something. */
void iommu_moves(const uint8_t *from, size_t len);
