/* Attacks on a guest that lends pages. */
#ifndef PEER_H
#define PEER_H

#include <stdbool.h>
#include <stdint.h>

/* Waits until it is there. False, and the test skipped: it will not come. */
bool peer_meet(void);

/* Without an IOMMU: where one of its pages is in the machine, and which. */
void peer_found(uint64_t at, uint32_t page);

#endif
