/*
 * PCI functions of this domain, by the memory-mapped configuration space: finding
 * them, their capabilities, registers and MSI-X interrupts. What a device says
 * of itself is checked before it is used.
 */
#ifndef PCI_H
#define PCI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PCI_VENDOR       0x00u
#define PCI_COMMAND      0x04u
#define PCI_CLASS        0x08u
#define PCI_HEADER_TYPE  0x0eu
#define PCI_BAR          0x10u
#define PCI_CAPABILITIES 0x34u

#define PCI_COMMAND_MEMORY      (1u << 1)
#define PCI_COMMAND_MASTER      (1u << 2)
#define PCI_COMMAND_NO_INTX     (1u << 10)
#define PCI_STATUS_CAPABILITIES (1u << 4)

#define PCI_CAP_VENDOR 0x09u
#define PCI_CAP_MSIX   0x11u

#define PCI_BARS 6u

/* Each access to configuration space leaves the domain, so what is known is not asked for again. */
struct pci_function {
    volatile uint8_t *config;
    uint8_t bus, slot, function;
    uint16_t vendor, device;
    uint16_t command; /* as it was written last: nobody else does */
    uint16_t status;
    uint32_t class; /* base << 16 | sub << 8 | interface */
    struct {
        uint64_t base;
        uint64_t size; /* 0: not measured yet */
    } bars[PCI_BARS];
};

/* Opens one function. 0, or -XEN_ENODEV: there is none. */
int pci_open(struct pci_function *f, uint8_t bus, uint8_t slot, uint8_t function);

/*
 * The functions of a bus in order, at most max; how many there are. Function 0
 * of a slot may belong to somebody else, so all eight are tried.
 */
uint32_t pci_scan(uint8_t bus, struct pci_function *functions, uint32_t max);

/*
 * The functions of this domain in the order in which the words "pci=BB:SS.F" of
 * its command line name them, or without such a word those of bus 0. What does
 * not exist is logged, and keeps its place with config NULL.
 */
uint32_t pci_chosen(int argc, char **argv, struct pci_function *functions, uint32_t max);

uint8_t pci_read8(const struct pci_function *f, uint32_t offset);
uint16_t pci_read16(const struct pci_function *f, uint32_t offset);
uint32_t pci_read32(const struct pci_function *f, uint32_t offset);
uint64_t pci_read64(const struct pci_function *f, uint32_t offset); /* at a multiple of 4 */
void pci_write16(const struct pci_function *f, uint32_t offset, uint16_t value);
void pci_write32(const struct pci_function *f, uint32_t offset, uint32_t value);

/* The first capability with this id after position `after` (0: from the start); 0 if none. */
uint8_t pci_capability(const struct pci_function *f, uint8_t id, uint8_t after);

/* Sets and clears bits of the command register. */
void pci_command(struct pci_function *f, uint16_t set, uint16_t clear);

/*
 * Maps len bytes at offset of a memory BAR. NULL if the BAR is none, or too
 * small. Memory decoding must be on afterwards, and is left as it was.
 */
volatile uint8_t *pci_bar_map(struct pci_function *f, uint32_t bar, uint64_t offset, uint64_t len);

struct pci_msix {
    struct pci_function *function;
    uint8_t capability;
    uint16_t control;
    uint32_t count; /* entries of the table */
    volatile uint8_t *table;
};

/* Finds the table; interrupts stay off. 0, or -XEN_ENODEV. */
int pci_msix_open(struct pci_msix *m, struct pci_function *f);

/* Sets an entry (masked before) and lets it through. */
void pci_msix_set(const struct pci_msix *m, uint32_t entry, uint64_t address, uint32_t data);

/* Message-signalled interrupts on, the legacy line off. */
void pci_msix_enable(struct pci_msix *m);

#endif
