/* Finds the host's PCI functions at boot, and stops their DMA. */
#include "console/console.h"
#include "mm/frame.h"
#include "mm/heap.h"
#include "pci/function.h"
#include "pci/pci.h"

#define CLASS_BRIDGE    0x06u
#define CLASS_IOMMU     0x0806u
#define PORT_ROOT       4u /* types of PCI Express ports, up to those of switches */
#define PORT_DOWNSTREAM 6u

#define BAR_IO    1u
#define BAR_KIND  0xfu
#define BAR_WIDTH 6u
#define BAR_64    4u

struct lock pci_lock = LOCK_INIT(LOCK_PCI);

struct list pci_functions = LIST_INIT(pci_functions);

static void scan_bus(unsigned bus, struct pci_function *bridge, uint64_t seen[4]);

struct pci_function *function_find(uint16_t bdf)
{
    list_for_each (struct pci_function, f, &pci_functions, all)
        if (f->bdf == bdf)
            return f;
    return NULL;
}

struct pci_function *function_at(unsigned index)
{
    list_for_each (struct pci_function, f, &pci_functions, all)
        if (index-- == 0)
            return f;
    return NULL;
}

/*
 * What firmware assigned and a domain can be given: whole pages that are no RAM
 * and that no other function's BAR shares.
 */
static bool bar_is_usable(const struct pci_bar *bar)
{
    uint16_t owner;

    if (bar->size == 0 || bar->host == 0 || bar->host & PAGE_MASK)
        return false;
    for (uint64_t at = bar->host; at < bar->host + bar->size; at += PAGE_SIZE)
        if (frame_kind(hpa_mfn((hpa_t){at}), &owner) != FRAME_ABSENT)
            return false;
    return true;
}

static void bar_probe(struct pci_function *f, unsigned i)
{
    struct pci_bar *bar = &f->bar[i];
    unsigned at = CONFIG_BAR + 4 * i;
    uint32_t low = config_read(f, at, 4);
    uint64_t mask;

    if (low & BAR_IO)
        return;
    bar->flags = low & BAR_KIND;
    bar->wide = (low & BAR_WIDTH) == BAR_64 && i + 1 < PCI_BARS;
    bar->host = low & ~BAR_KIND;
    config_write(f, at, 4, UINT32_MAX);
    mask = config_read(f, at, 4) & ~BAR_KIND;
    config_write(f, at, 4, low);
    if (bar->wide) {
        uint32_t high = config_read(f, at + 4, 4);

        bar->host |= (uint64_t)high << 32;
        config_write(f, at + 4, 4, UINT32_MAX);
        mask |= (uint64_t)config_read(f, at + 4, 4) << 32;
        config_write(f, at + 4, 4, high);
    } else if (mask != 0) {
        mask |= ~(uint64_t)UINT32_MAX;
    }
    bar->size = ~mask + 1;
    if (mask == 0 || !bar_is_usable(bar)) {
        bar->size = 0;
        return;
    }
    /* A smaller one lies alone in its page if its neighbours are aligned as well. */
    if (bar->size < PAGE_SIZE)
        bar->size = PAGE_SIZE;
}

static void bars_probe(struct pci_function *f)
{
    uint32_t command = config_read(f, CONFIG_COMMAND, 2);

    /* Nothing decodes while the addresses are all-ones. */
    config_write(f, CONFIG_COMMAND, 2, command & ~(COMMAND_IO | COMMAND_MEMORY));
    for (unsigned i = 0; i < PCI_BARS; i++) {
        bar_probe(f, i);
        if (f->bar[i].wide)
            i++;
    }
    config_write(f, CONFIG_COMMAND, 2, command & ~COMMAND_MASTER);
}

/* Returns the header type; 0xff: nobody there. */
static uint32_t function_add(volatile uint8_t *config, uint16_t bdf, struct pci_function *bridge,
                             uint64_t seen[4])
{
    struct pci_function probe = {
        .config = config, .bdf = bdf, .bridge = bridge, .renamed = bridge && bridge->renamed};
    uint32_t header;
    struct pci_function *f;

    probe.id = config_read(&probe, CONFIG_ID, 4);
    if ((probe.id & 0xffff) == 0xffff || (probe.id & 0xffff) == 0)
        return 0xff;
    f = heap_alloc(sizeof(*f));
    if (!f) {
        console_log("PCI: no memory for function %04x", bdf);
        return 0xff;
    }
    *f = probe;
    f->class_revision = config_read(f, CONFIG_CLASS, 4);
    header = config_read(f, CONFIG_HEADER, 4) >> 16 & 0xff;
    f->reserved = (header & ~HEADER_MULTIPLE) != 0 || f->class_revision >> 24 == CLASS_BRIDGE ||
                  f->class_revision >> 16 == CLASS_IOMMU;
    list_init(&f->owned);
    list_add_tail(&pci_functions, &f->all);
    if (!f->reserved)
        bars_probe(f);
    capability_scan(f);
    if ((header & ~HEADER_MULTIPLE) == HEADER_BRIDGE) {
        /* Of bridges, those of PCI Express leave a request its sender's name. */
        unsigned port = f->pcie ? config_read(f, f->pcie, 4) >> 20 & 0xf : 0;

        f->renamed = f->renamed || port < PORT_ROOT || port > PORT_DOWNSTREAM;
        scan_bus(config_read(f, CONFIG_BUSES, 4) >> 8 & 0xff, f, seen);
    }
    return header;
}

static void scan_bus(unsigned bus, struct pci_function *bridge, uint64_t seen[4])
{
    volatile uint8_t *config;

    /* A bus is reached once, whatever bridges claim. */
    if (seen[bus / 64] >> (bus % 64) & 1)
        return;
    seen[bus / 64] |= 1ull << (bus % 64);
    config = config_bus(bus);
    if (!config)
        return;
    for (unsigned device = 0; device < 32; device++) {
        for (unsigned function = 0; function < 8; function++) {
            unsigned devfn = device << 3 | function;
            uint32_t header = function_add(config + (size_t)devfn * PAGE_SIZE,
                                           (uint16_t)(bus << 8 | devfn), bridge, seen);

            if (function == 0 && (header == 0xff || !(header & HEADER_MULTIPLE)))
                break;
        }
    }
}

/* Two BARs in one page cannot go to two owners: neither can have it. */
static void refuse_shared_pages(void)
{
    list_for_each (struct pci_function, f, &pci_functions, all) {
        list_for_each (struct pci_function, g, &pci_functions, all) {
            for (unsigned i = 0; i < PCI_BARS * PCI_BARS; i++) {
                struct pci_bar *p = &f->bar[i / PCI_BARS], *q = &g->bar[i % PCI_BARS];

                if (p == q || p->size == 0 || q->size == 0 || p->host >= q->host + q->size ||
                    q->host >= p->host + p->size)
                    continue;
                console_log("PCI: memory of %04x and %04x shares pages", f->bdf, g->bdf);
                p->size = q->size = 0;
            }
        }
    }
}

void pci_init(void)
{
    uint64_t seen[4] = {0};
    unsigned count = 0;

    scan_bus(0, NULL, seen);
    refuse_shared_pages();
    list_for_each (struct pci_function, f, &pci_functions, all)
        count++;
    console_log("PCI: %u functions", count);
}
