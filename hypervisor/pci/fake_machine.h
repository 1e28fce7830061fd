/* For tests: a bus with devices on it, a domain's memory, and counters for what must balance. */
#ifndef PCI_FAKE_MACHINE_H
#define PCI_FAKE_MACHINE_H

#include "domain/domain.h"
#include "pci/function.h"

/* An NVMe-like function: 16 KiB of memory, MSI-X table in its third page, PCIe with reset. */
#define FAKE_NVME   0x0020u
/* A virtio-like one: I/O ports, a 4 KiB table BAR with the PBA beside it, 16 KiB of 64-bit memory.
 */
#define FAKE_VIRTIO 0x0028u
/* One with MSI only, and 2 MiB of memory. */
#define FAKE_MSI    0x0030u
#define FAKE_BRIDGE 0x00f8u

#define FAKE_MEMORY     0xf0000000ull /* device memory, FAKE_MEMORY_LEN bytes that the tests see */
#define FAKE_MEMORY_LEN 0x10000u

extern struct domain fake_domain;
extern uint8_t fake_memory[FAKE_MEMORY_LEN];
extern unsigned fake_vectors, fake_vectors_left; /* taken, and how many more there are */
extern unsigned fake_mapped;                     /* pages in the domain */
extern unsigned fake_locks, fake_allocations;
extern unsigned fake_resets;
/* The IOMMU: who is attached, whether it refuses, whether it is there; its entries in use. */
bool fake_is_attached(uint16_t bdf);
extern bool fake_refused, fake_contains;
extern unsigned fake_entries;
extern struct fake_msi {
    unsigned count;
    uint64_t address;
    uint32_t data;
    uint32_t port; /* of the last that was an event */
} fake_msi;

/* A fresh machine and domain; the scan runs once for all tests. */
void fake_reset(void);

/* What is mapped at a guest address: machine address, or 0. */
uint64_t fake_lookup(uint64_t gpa);

/* A register of the device itself. */
uint32_t fake_config(uint16_t bdf, unsigned offset);

#endif
