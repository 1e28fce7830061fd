/* What holds whichever vendor's units contain the devices. */
#include "iommu/iommu.h"

#include <string.h>

#include "check.h"
#include "fake_arch.h"
#include "fake_domain.h"

#include "iommu/moves.h"
#include "pci/function.h"

/* One test for each vendor. */
#define BOTH(id)                                                                                   \
    static void id(const struct fake_vendor *vendor);                                              \
    TEST(id##_vtd)                                                                                 \
    {                                                                                              \
        id(&fake_vtd);                                                                             \
    }                                                                                              \
    TEST(id##_amdvi)                                                                               \
    {                                                                                              \
        id(&fake_amdvi);                                                                           \
    }                                                                                              \
    static void id(const struct fake_vendor *vendor)

#define FIRST_VECTOR 0x51u

static void begin(const struct fake_vendor *vendor)
{
    moves_begin(vendor);
    (void)fake_uart_sent();
}

BOTH(devices_reach_what_their_owners_do_under_random_moves)
{
    uint8_t bytes[512];

    for (uint64_t seed = 1; seed <= 60; seed++) {
        moves_fill(bytes, sizeof(bytes), seed);
        iommu_moves(vendor, bytes, sizeof(bytes));
    }
}

BOTH(nothing_is_reached_from_the_start)
{
    begin(vendor);
    for (unsigned i = 0; i < FAKE_FUNCTIONS; i++)
        for (uint64_t at = 0; at < 0x200000; at += 4096)
            EXPECT(fake_dma(i, at, true) < 0);
    EXPECT(fake_faults > 0);
    iommu_interrupt(0);
    EXPECT(strstr(fake_uart_sent(), "PCI 0008 (nobody's): blocked writing 0 (reason 2, 1 times"));
    moves_end();
}

BOTH(a_blocked_access_is_told_and_counted)
{
    struct domain *d = &fake_domain[1];
    const char *line;

    begin(vendor);
    strcpy(d->label, "disks");
    fake_function[1].owner = d;
    EXPECT(iommu_attach(&fake_function[1], &d->p2m) == 0);
    EXPECT(fake_dma(1, 0x3000, true) > 0 && fake_faults == 0);
    EXPECT(fake_dma(1, 0x123456000, false) < 0 && fake_faults == 1);
    iommu_interrupt(0);
    line = fake_uart_sent();
    EXPECT(strstr(line, vendor == &fake_vtd
                            ? "PCI 0020 (disks): blocked reading 123456000 (reason 6, 1 times"
                            : "PCI 0020 (disks): blocked reading 123456000 (reason 2, 1 times"));
    EXPECT(fake_send(1, 0xfee00090, 4) < 0);
    iommu_interrupt(0);
    line = fake_uart_sent();
    EXPECT(strstr(line, vendor == &fake_vtd
                            ? "PCI 0020 (disks): blocked interrupt 4 (reason 34, 2 times"
                            : "PCI 0020 (disks): blocked interrupt fee00090 (reason 2, 2 times"));
    EXPECT(d->stats.dma_blocked == 2 && fake_domain[0].stats.dma_blocked == 0);
    iommu_detach(&fake_function[1], false);
    moves_end();
}

/* At the last that it may have it lives, at the next it has crashed; once, and with the reason. */
BOTH(too_many_blocked_accesses_are_a_crash)
{
    struct domain *d = &fake_domain[1];

    begin(vendor);
    d->dma_limit = 3;
    fake_function[1].owner = fake_function[2].owner = d;
    EXPECT(iommu_attach(&fake_function[1], &d->p2m) == 0);
    EXPECT(iommu_attach(&fake_function[2], &d->p2m) == 0);
    for (unsigned i = 1; i <= 7; i++) {
        /* Those of its other function are counted apart. */
        EXPECT(fake_dma(i <= 2 ? 2 : 1, 0x123456000, true) < 0);
        iommu_interrupt(0);
        EXPECT(fake_crashes == (i >= 5));
    }
    EXPECT(d->stats.dma_blocked == 7 && fake_domain[0].stats.dma_blocked == 0);
    iommu_detach(&fake_function[1], false);
    iommu_detach(&fake_function[2], false);
    moves_end();
}

static unsigned lines_of(const char *text)
{
    unsigned n = 0;

    for (; *text; text++)
        n += *text == '\n';
    return n;
}

BOTH(a_flood_is_cut_off)
{
    struct domain *d = &fake_domain[2];
    const char *text;

    begin(vendor);
    fake_function[0].owner = d;
    EXPECT(iommu_attach(&fake_function[0], &d->p2m) == 0);
    for (unsigned i = 0; i < 1000; i++) {
        EXPECT(fake_dma(0, 0x700000000, true) < 0);
        iommu_interrupt(0);
    }
    EXPECT(fake_faults == 256 && d->stats.dma_blocked == 256);
    text = fake_uart_sent();
    EXPECT(lines_of(text) == 9 && strstr(text, "64 times in all)") &&
           strstr(text, "256 times in all): no more is recorded"));
    /* What is allowed works on, and a new owner begins anew. */
    EXPECT(fake_dma(0, 0x3000, true) > 0);
    iommu_detach(&fake_function[0], false);
    EXPECT(iommu_attach(&fake_function[0], &d->p2m) == 0);
    fake_faults = 0;
    EXPECT(fake_dma(0, 0x700000000, true) < 0 && fake_faults == 1);
    iommu_detach(&fake_function[0], false);
    moves_end();
}

/* A device that makes up its names does not decide how much is printed either. */
BOTH(a_flood_under_many_names)
{
    begin(vendor);
    for (unsigned i = 0; i < 300; i++) {
        EXPECT(vendor->dma(0, (uint16_t)(0x0040 + i % 0x80), 0x3000, true) < 0);
        iommu_interrupt(0);
    }
    EXPECT(fake_faults == 0x80 && lines_of(fake_uart_sent()) <= 9);
    moves_end();
}

BOTH(functions_that_cannot_be_contained)
{
    struct pci_function kept = {.bdf = FAKE_KEPT};
    struct pci_function behind = {.bdf = 0x0030, .renamed = true};

    begin(vendor);
    EXPECT(iommu_attach(&kept, &fake_domain[0].p2m) == -XEN_EPERM);
    EXPECT(strstr(fake_uart_sent(), "PCI 0018 cannot be given away: firmware"));
    EXPECT(iommu_attach(&behind, &fake_domain[0].p2m) == -XEN_EPERM);
    EXPECT(strstr(fake_uart_sent(), "PCI 0030 cannot be given away: a bridge"));
    moves_end();
}

/* Whatever a function writes into the interrupt window, it raises its own vector, or none. */
static void forge(unsigned from, uint64_t at, uint32_t data)
{
    int vector = fake_send(from, at, data);

    EXPECT(vector < 0 || vector == (int)(FIRST_VECTOR + from));
    iommu_interrupt(0);
}

/* Both formats, all entries, and those past them; by way of either delivery that is remapped. */
static void forge_all(unsigned from)
{
    for (uint64_t at = 0xfee00000; at < 0xfee02100; at += 4)
        for (uint32_t data = 0; data < 0x10; data += 5)
            forge(from, at, data | (at & 8 ? 0x100 : 0));
    for (uint32_t data = 0; data < 0x10; data++) {
        forge(from, 0xfee00000, data << 4);
        forge(from, 0xfeeff00c, data << 4);
    }
    forge(from, 0xfeeffffc, 0xffff);
}

/* What QEMU's VT-d unit lets through when a device writes it by DMA. */
BOTH(forged_messages_raise_nobody_elses_interrupt)
{
    struct iommu_message m[FAKE_FUNCTIONS];

    for (unsigned from = 0; from < FAKE_FUNCTIONS; from++) {
        begin(vendor);
        for (unsigned i = 0; i < FAKE_FUNCTIONS; i++) {
            fake_function[i].owner = &fake_domain[i];
            EXPECT(iommu_attach(&fake_function[i], &fake_domain[i].p2m) == 0);
            m[i] = iommu_message_make(5 * i, fake_function[i].bdf, FIRST_VECTOR + i);
        }
        for (unsigned i = 0; i < FAKE_FUNCTIONS; i++)
            EXPECT(fake_send(from, m[i].address, m[i].data) ==
                   (i == from ? (int)(FIRST_VECTOR + i) : -1));
        forge_all(from);
        for (unsigned i = 0; i < FAKE_FUNCTIONS; i++) {
            iommu_message_drop(5 * i);
            EXPECT(fake_send(i, m[i].address, m[i].data) < 0);
            iommu_detach(&fake_function[i], false);
        }
        moves_end();
    }
}
