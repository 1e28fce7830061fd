/* Which parts of a function's configuration space its owner sees: decided once, at boot. */
#include "pci/function.h"

#include <abi/bulkhead.h>

#define CAPABILITY_POWER  0x01u
#define CAPABILITY_MSI    0x05u
#define CAPABILITY_VENDOR 0x09u
#define CAPABILITY_PCIE   0x10u
#define CAPABILITY_MSIX   0x11u
#define CAPABILITY_AF     0x13u

#define MSI_WIDE         (1u << 23)
#define MSIX_BAR         7u
#define PCIE_LENGTH      0x3cu
#define CAPABILITIES_MAX 48u

#define EXTENDED     0x100u /* where PCI Express' own capabilities begin */
#define EXTENDED_ACS 0x000du

static void show(struct pci_function *f, unsigned from, unsigned len, enum config_rule rule)
{
    for (unsigned at = from & ~3u; at < from + len && at < 0x100; at += 4)
        f->rule[at / 4] = (uint8_t)rule;
}

static void found_msix(struct pci_function *f, uint8_t at, uint32_t head)
{
    uint32_t table = config_read(f, at + 4u, 4);
    unsigned bar = table & MSIX_BAR;
    unsigned count = (head >> 16 & 0x7ff) + 1;
    uint32_t offset = table & ~MSIX_BAR;

    /* A table that is not inside a BAR we can trap must not be used. */
    if (bar >= PCI_BARS || f->bar[bar].size == 0 || offset >= f->bar[bar].size ||
        (uint64_t)count * 16 > f->bar[bar].size - offset)
        return;
    f->msix = (struct pci_msix){.capability = at,
                                .bar = (uint8_t)bar,
                                .offset = offset,
                                .count = count,
                                .first = offset & ~PAGE_MASK,
                                .end = (offset + count * 16ull + PAGE_MASK) & ~(uint64_t)PAGE_MASK};
    show(f, at, 4, RULE_MSIX);
    show(f, at + 4u, 8, RULE_READ);
}

/* Returns whether the owner sees it. */
static bool found(struct pci_function *f, uint8_t at, uint32_t head)
{
    switch (head & 0xff) {
    case CAPABILITY_MSI:
        f->msi = (struct pci_msi){.capability = at, .wide = (head & MSI_WIDE) != 0};
        show(f, at, f->msi.wide ? 16 : 12, RULE_MSI);
        return true;
    case CAPABILITY_MSIX: found_msix(f, at, head); return f->msix.capability != 0;
    case CAPABILITY_PCIE:
        f->pcie = at;
        f->control = (uint16_t)config_read(f, at + 8u, 2);
        show(f, at, PCIE_LENGTH, RULE_READ);
        show(f, at + 8u, 4, RULE_PCIE_DEVICE);
        return true;
    case CAPABILITY_POWER:
        f->power = at;
        show(f, at, 4, RULE_READ);
        show(f, at + 4u, 4, RULE_POWER);
        return true;
    case CAPABILITY_AF: f->af = at; return false;
    case CAPABILITY_VENDOR: {
        unsigned len = head >> 16 & 0xff;

        show(f, at, len > 4 ? len : 4, RULE_READ);
        return true;
    }
    default: return false;
    }
}

static const struct {
    uint8_t offset, len, rule;
} header_rules[] = {
    {CONFIG_ID, 4, RULE_READ},
    {CONFIG_COMMAND, 4, RULE_COMMAND},
    {CONFIG_CLASS, 4, RULE_READ},
    {CONFIG_HEADER, 4, RULE_READ},
    {CONFIG_BAR, 24, RULE_BAR},
    {CONFIG_SUBSYSTEM, 4, RULE_READ},
    {CONFIG_CAPABILITIES, 4, RULE_CAPABILITIES},
};

static void extended_scan(struct pci_function *f)
{
    for (unsigned at = EXTENDED, n = 0; at >= EXTENDED && n < CAPABILITIES_MAX; n++) {
        uint32_t head = config_read(f, at, 4);

        if ((head & 0xffff) == EXTENDED_ACS)
            f->acs = (uint16_t)at;
        at = head >> 20 & 0xffc;
    }
}

void capability_isolate(const struct pci_function *f)
{
    if (f->acs)
        config_write(f, f->acs + 6u, 2, config_read(f, f->acs + 4u, 2) & BULKHEAD_ACS_ALL);
}

void capability_scan(struct pci_function *f)
{
    uint8_t *link = &f->first_capability;
    uint8_t at = 0;

    for (unsigned i = 0; i < sizeof(header_rules) / sizeof(header_rules[0]); i++)
        show(f, header_rules[i].offset, header_rules[i].len, header_rules[i].rule);
    if (config_read(f, CONFIG_COMMAND, 4) & STATUS_CAPABILITIES)
        at = (uint8_t)config_read(f, CONFIG_CAPABILITIES, 1) & 0xfc;
    for (unsigned n = 0; at >= 0x40 && n < CAPABILITIES_MAX; n++) {
        uint32_t head = config_read(f, at, 4);

        if (f->next[at / 4] == 0 && found(f, at, head)) {
            *link = at;
            link = &f->next[at / 4];
            *link = NEXT_LAST;
        }
        at = (uint8_t)(head >> 8) & 0xfc;
    }
    if (f->pcie)
        extended_scan(f);
    capability_isolate(f);
}
