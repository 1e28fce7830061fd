/*
 * What devices can do: a function's DMA reaches nothing (from the start, and
 * between owners) or what its owner's own CPUs reach, no more and no less, since
 * the unit walks the owner's nested page tables themselves. Interrupts come
 * only through entries that the core made, each for one function.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "util/check.h"

struct p2m;
struct pci_function;

#define IOMMU_ENTRIES 256u /* for interrupts */

/* What a device writes, and where, to raise an interrupt. */
struct iommu_message {
    uint64_t address;
    uint32_t data;
};

/* Finds the units and blocks all DMA and all interrupts of devices; logs why if it cannot. Once. */
void iommu_init(void);

/* Whether devices are contained. Without it the calls below do nothing. */
bool iommu_is_on(void);

/* Whether a function can be contained, and so given away. */
bool iommu_contains(const struct pci_function *f);

/* The owner's memory for a function's DMA. -XEN_EPERM with a logged reason, -XEN_ENOMEM. */
MUST_USE int iommu_attach(struct pci_function *f, struct p2m *p2m);

/* Nothing for its DMA any more, when it returns. silent: what is blocked until it is attached
 * again is not recorded. */
void iommu_detach(struct pci_function *f, bool silent);

/* After entries of the p2m were removed or made stricter: no unit knows the old ones. */
void iommu_flush(struct p2m *p2m);

/* The message by which a function raises a vector, or the I/O APIC (its entries, bdf 0) a
 * line's. */
struct iommu_message iommu_message_make(unsigned entry, uint16_t bdf, unsigned vector);
#define IOMMU_ENTRY_IOAPIC    254u /* and from here on */
#define IOMMU_ENTRY_HEARTBEAT 254u
#define IOMMU_ENTRY_UART      255u

/* Whoever still sends it is not heard. */
void iommu_message_drop(unsigned entry);

/* A unit has recorded accesses that it blocked. */
void iommu_interrupt(unsigned cookie);
