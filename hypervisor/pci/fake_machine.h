/* For tests: buses with devices on them, a domain's memory, and counters for what must balance. */
#pragma once

#include "domain/domain.h"
#include "pci/function.h"

/* An NVMe-like function: 16 KiB of memory, MSI-X table in its third page, PCIe with reset, and
 * power states. */
#define FAKE_NVME   0x0020u
/* A virtio-like one: I/O ports, a 4 KiB table BAR with the PBA beside it, 16 KiB of 64-bit memory;
 * a conventional one, with what it needs for a function-level reset. */
#define FAKE_VIRTIO 0x0028u
/* One with MSI only, and 2 MiB of memory. It has no reset. */
#define FAKE_MSI    0x0030u
/* One with MSI-X and MSI, and 4 KiB of memory with the table in it. It has no reset either. */
#define FAKE_BOTH   0x0038u
#define FAKE_BRIDGE 0x00f8u
/* A port of PCI Express, and two functions behind it, the first with 4 KiB of memory. */
#define FAKE_PORT   0x00e0u
#define FAKE_PAIR   0x0100u

#define FAKE_FUNCTIONS 0x200u /* there are none from here on */

#define FAKE_MEMORY     0xf0000000ull /* device memory, FAKE_MEMORY_LEN bytes that the tests see */
#define FAKE_MEMORY_LEN 0x10000u

extern struct domain fake_domain;
extern uint8_t fake_memory[FAKE_MEMORY_LEN];
extern unsigned fake_vectors, fake_vectors_left; /* taken, and how many more there are */
extern unsigned fake_mapped;                     /* pages in the domain */
extern unsigned fake_locks, fake_allocations;
extern uint64_t fake_now; /* ns */

/*
 * A function as a device: what an owner leaves in it, and how it takes resets.
 * Who touches it too early afterwards, or resets it under its owner, fails.
 */
enum fake_way { FAKE_BY_FLR, FAKE_BY_AF, FAKE_BY_POWER, FAKE_BY_BUS, FAKE_WAYS };
struct fake_device {
    uint16_t bdf;
    uint8_t pcie, af, power; /* capabilities */
    bool used;               /* an owner's state: a reset takes it away */
    unsigned resets[FAKE_WAYS];
    uint64_t away_ns;       /* how long it does not answer, from when it may be looked at */
    uint64_t pending, back; /* ns until when it waits for answers, is away */
    uint64_t quiet;         /* until when it must not be touched */
};
struct fake_device *fake_device(uint16_t bdf);

/* How often this was logged in this test. */
unsigned fake_logged(const char *line);
/* The IOMMU: who is attached, whether it refuses, whether it is there; its entries in use. */
bool fake_is_attached(uint16_t bdf);
extern bool fake_refused, fake_contains;
extern bool fake_restarted; /* what is attached has its owner already */
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
void fake_config_set(uint16_t bdf, unsigned offset, uint32_t value);

/* Between fake_machine.c and fake_device.c: as firmware leaves them, as the scan does, and back. */
void fake_devices_make(void);
void fake_devices_keep(void);
void fake_devices_restore(void);
