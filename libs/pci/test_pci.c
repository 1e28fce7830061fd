/* Configuration space of a good device and of lying ones. */
#include "pci.h"

#include <abi/xen.h>

#include "check.h"
#include "played.h"

static struct pci_function f;

TEST(found_on_its_slot)
{
    struct pci_function found[4];

    played_init(0x1b36, 0x0010, 0x010802);
    EXPECT(pci_scan(0, found, 4) == 1);
    EXPECT(found[0].slot == 4 && found[0].function == 0);
    EXPECT(found[0].vendor == 0x1b36 && found[0].device == 0x10 && found[0].class == 0x010802);
    EXPECT(pci_open(&f, 0, 5, 0) == -XEN_ENODEV);
}

TEST(bars_are_sized_and_put_back)
{
    played_init(1, 2, 3);
    EXPECT(pci_open(&f, 0, 4, 0) == 0);
    pci_command(&f, PCI_COMMAND_MEMORY, 0);
    EXPECT(pci_bar_map(&f, 0, 0, PLAYED_BAR_SIZE) == played.bar);
    EXPECT(pci_bar_map(&f, 0, 0x1000, PLAYED_BAR_SIZE - 0x1000) == played.bar + 0x1000);
    EXPECT(pci_bar_map(&f, 0, 0x1000, PLAYED_BAR_SIZE - 0xfff) == NULL);
    EXPECT(pci_bar_map(&f, 0, UINT64_MAX, 2) == NULL);
    EXPECT(pci_bar_map(&f, 0, 0, 0) == NULL);
    EXPECT(pci_bar_map(&f, 1, 0, 1) == NULL);
    EXPECT(pci_bar_map(&f, 2, 0, 1) == NULL);
    EXPECT(pci_bar_map(&f, 6, 0, 1) == NULL);
    EXPECT(pci_read32(&f, PCI_BAR) == ((uint32_t)LAYOUT_BAR_BASE | 4));
    EXPECT(pci_read16(&f, PCI_COMMAND) == PCI_COMMAND_MEMORY);
    played_put(0x10, (uint32_t)LAYOUT_BAR_BASE | 1, 4);
    EXPECT(pci_bar_map(&f, 0, 0, 1) == played.bar); /* it was measured once */
    EXPECT(pci_open(&f, 0, 4, 0) == 0);
    EXPECT(pci_bar_map(&f, 0, 0, 1) == NULL);
}

TEST(capability_lists)
{
    played_init(1, 2, 3);
    EXPECT(pci_open(&f, 0, 4, 0) == 0);
    EXPECT(pci_capability(&f, PCI_CAP_MSIX, 0) == 0x40);
    EXPECT(pci_capability(&f, PCI_CAP_MSIX, 0x40) == 0);
    EXPECT(pci_capability(&f, 0x10, 0) == 0x60);
    EXPECT(pci_capability(&f, 0x05, 0) == 0);
    played_put(0x61, 0x40, 1); /* a loop */
    EXPECT(pci_capability(&f, 0x05, 0) == 0);
    played_put(0x61, 0x10, 1); /* into the header */
    EXPECT(pci_capability(&f, 0x05, 0) == 0);
    played_put(0x61, 0x83, 1); /* low bits do not count */
    played_put(0x80, 0x05, 2);
    EXPECT(pci_capability(&f, 0x05, 0) == 0x80);
    played_put(0x06, 0, 2);
    EXPECT(pci_open(&f, 0, 4, 0) == 0 && pci_capability(&f, PCI_CAP_MSIX, 0) == 0);
    memset(played.config, 0xff, sizeof(played.config));
    EXPECT(pci_capability(&f, 0x05, 0) == 0);
}

TEST(msix_entry)
{
    struct pci_msix m;

    played_init(1, 2, 3);
    EXPECT(pci_open(&f, 0, 4, 0) == 0);
    EXPECT(pci_msix_open(&m, &f) == 0 && m.count == 4);
    pci_msix_set(&m, 1, 0xfee01000, 0x41);
    EXPECT(mmio_read32(played.bar + 0x3010) == 0xfee01000);
    EXPECT(mmio_read32(played.bar + 0x3018) == 0x41 && mmio_read32(played.bar + 0x301c) == 0);
    pci_msix_enable(&m);
    EXPECT(pci_read16(&f, 0x42) == 0x8003);
    EXPECT(pci_read16(&f, PCI_COMMAND) & PCI_COMMAND_NO_INTX);
    played_put(0x42, 0x7ff, 2); /* a table that does not fit its BAR */
    EXPECT(pci_msix_open(&m, &f) == -XEN_ENODEV);
    played_put(0x44, 7, 4); /* a BAR that cannot be */
    EXPECT(pci_msix_open(&m, &f) == -XEN_ENODEV);
}
