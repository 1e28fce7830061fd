/* Configuration space, capabilities and BARs (PCI Local Bus 3.0; PCI Express base, section 7). */
#include "pci.h"

#include <abi/layout.h>
#include <abi/xen.h>

#include <mmio.h>
#include <rt/memory.h>

#define CONFIG_SIZE      4096u
/* Capabilities lie in bytes 0x40 to 0xff, four apart at least: a longer list is a loop. */
#define CAPABILITY_FIRST 0x40u
#define CAPABILITIES_MAX 48u

uint8_t pci_read8(const struct pci_function *f, uint32_t offset)
{
    return mmio_read8(f->config + offset);
}

uint16_t pci_read16(const struct pci_function *f, uint32_t offset)
{
    return mmio_read16(f->config + offset);
}

uint32_t pci_read32(const struct pci_function *f, uint32_t offset)
{
    return mmio_read32(f->config + offset);
}

uint64_t pci_read64(const struct pci_function *f, uint32_t offset)
{
    return mmio_read64(f->config + offset);
}

void pci_write16(const struct pci_function *f, uint32_t offset, uint16_t value)
{
    mmio_write16(f->config + offset, value);
}

void pci_write32(const struct pci_function *f, uint32_t offset, uint32_t value)
{
    mmio_write32(f->config + offset, value);
}

int pci_open(struct pci_function *f, uint8_t bus, uint8_t slot, uint8_t function)
{
    uint64_t at = LAYOUT_ECAM_BASE + ((uint64_t)bus << 20) + ((uint64_t)slot << 15) +
                  ((uint64_t)function << 12);

    *f = (struct pci_function){.bus = bus, .slot = slot, .function = function};
    f->config = memory_device(at, CONFIG_SIZE);
    if (!f->config)
        return -XEN_ENODEV;

    uint64_t head = pci_read64(f, PCI_VENDOR);

    f->vendor = (uint16_t)head;
    f->device = (uint16_t)(head >> 16);
    f->command = (uint16_t)(head >> 32);
    f->status = (uint16_t)(head >> 48);
    if (f->vendor == 0xffff || f->vendor == 0)
        return -XEN_ENODEV;
    f->class = pci_read32(f, PCI_CLASS) >> 8;
    return 0;
}

uint32_t pci_scan(uint8_t bus, struct pci_function *functions, uint32_t max)
{
    uint32_t count = 0;

    for (uint32_t i = 0; i < 256 && count < max; i++)
        if (pci_open(&functions[count], bus, (uint8_t)(i >> 3), i & 7) == 0)
            count++;
    return count;
}

uint8_t pci_capability(const struct pci_function *f, uint8_t id, uint8_t after)
{
    bool passed = after == 0;

    if (!(f->status & PCI_STATUS_CAPABILITIES))
        return 0;

    uint8_t at = pci_read8(f, PCI_CAPABILITIES) & 0xfc;

    for (uint32_t i = 0; i < CAPABILITIES_MAX && at >= CAPABILITY_FIRST; i++) {
        uint16_t head = pci_read16(f, at);

        if (passed && (head & 0xff) == id)
            return at;
        passed = passed || at == after;
        at = (uint8_t)(head >> 8 & 0xfc);
    }
    return 0;
}

void pci_command(struct pci_function *f, uint16_t set, uint16_t clear)
{
    uint16_t wanted = (uint16_t)((f->command & ~clear) | set);

    if (wanted != f->command)
        pci_write16(f, PCI_COMMAND, wanted);
    f->command = wanted;
}

/* What a half of a BAR keeps of all ones; it is put back. */
static uint32_t bar_mask(const struct pci_function *f, uint32_t at, uint32_t value)
{
    uint32_t mask;

    pci_write32(f, at, UINT32_MAX);
    mask = pci_read32(f, at);
    pci_write32(f, at, value);
    return mask;
}

/* Base and size of a BAR that reads `high` and `low`; decoding is off meanwhile. */
static void bar_measure(struct pci_function *f, uint32_t bar, uint32_t high, uint32_t low,
                        bool wide)
{
    uint32_t at = PCI_BAR + 4 * bar;
    uint16_t command = f->command;

    pci_command(f, 0, PCI_COMMAND_MEMORY);

    uint64_t mask = bar_mask(f, at, low) & ~15u;

    /* The high half has a say only in sizes of 4 GiB and more. */
    mask |= (uint64_t)(wide && mask == 0 ? bar_mask(f, at + 4, high) : UINT32_MAX) << 32;
    pci_command(f, command, 0);
    f->bars[bar].base = (low & ~15u) | (uint64_t)high << 32;
    f->bars[bar].size = ~mask + 1;
}

volatile uint8_t *pci_bar_map(struct pci_function *f, uint32_t bar, uint64_t offset, uint64_t len)
{
    if (bar >= PCI_BARS)
        return NULL;
    if (f->bars[bar].size == 0) {
        uint64_t value = pci_read64(f, PCI_BAR + 4 * bar);
        uint32_t low = (uint32_t)value;
        bool wide = (low & 6) == 4;

        if ((low & 1) || (wide && bar == PCI_BARS - 1))
            return NULL;
        bar_measure(f, bar, wide ? (uint32_t)(value >> 32) : 0, low, wide);
    }

    uint64_t base = f->bars[bar].base, size = f->bars[bar].size;

    if (base == 0 || len == 0 || offset > size || len > size - offset || base + size < base)
        return NULL;
    return memory_device(base + offset, len);
}
