/* What one vendor's units do for iommu.c, which has checked everything and, but for faults, holds
 * the lock. */
#pragma once

#include "iommu/iommu.h"

/* An access that was blocked. */
struct iommu_fault {
    uint16_t bdf;
    bool interrupt; /* a message that was no entry's, not memory */
    bool write;
    uint8_t reason; /* the vendor's number */
    uint64_t address;
};

struct iommu_vendor {
    /* Why a function cannot be given away, or NULL. */
    const char *(*refusal)(uint16_t bdf);

    /*
     * The function gets its owner's tables, under a number of the owner's; before it
     * does, its unit is noted in p2m->iommus. -XEN_ENOMEM, -XEN_EPERM.
     */
    int (*attach)(uint16_t bdf, struct p2m *p2m, uint16_t owner);
    void (*detach)(uint16_t bdf);
    void (*flush)(unsigned unit, uint16_t owner);

    /* No more faults of this function are recorded until it is attached or detached. */
    void (*silence)(uint16_t bdf);

    struct iommu_message (*entry_write)(unsigned entry, uint16_t bdf, unsigned vector);
    void (*entry_clear)(unsigned entry);

    /* The next fault that was recorded; false: none is left. */
    bool (*fault)(struct iommu_fault *fault);
};

/*
 * All units are on, and all is blocked; NULL: there are none, or a logged reason.
 * The vector is for faults, by a message that no unit looks at.
 */
const struct iommu_vendor *vtd_init(unsigned vector);
const struct iommu_vendor *amdvi_init(unsigned vector);
