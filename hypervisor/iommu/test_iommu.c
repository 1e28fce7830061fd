#include "iommu/iommu.h"

#include <string.h>

#include "check.h"
#include "fake_arch.h"
#include "fake_domain.h"

#include <arch/acpi.h>

#include "iommu/dmar.h"
#include "iommu/fake_vtd.h"
#include "iommu/moves.h"
#include "pci/function.h"

static void begin(void)
{
    moves_begin();
    (void)fake_uart_sent();
}

static void fill(uint8_t *bytes, size_t len, uint64_t seed)
{
    for (size_t i = 0; i < len; i++) {
        seed = seed * 6364136223846793005ull + 1442695040888963407ull;
        bytes[i] = (uint8_t)(seed >> 56);
    }
}

TEST(devices_reach_what_their_owners_do_under_random_moves)
{
    uint8_t bytes[512];

    for (uint64_t seed = 1; seed <= 60; seed++) {
        fill(bytes, sizeof(bytes), seed);
        iommu_moves(bytes, sizeof(bytes));
    }
}

/* A unit that reads its tables past the CPU's caches is the rule in the moves; here is the other.
 */
TEST(coherent_units)
{
    uint8_t bytes[512];

    fake_ecap |= 1;
    fill(bytes, sizeof(bytes), 77);
    iommu_moves(bytes, sizeof(bytes));
    fake_ecap &= ~1ull;
}

TEST(nothing_is_reached_from_the_start)
{
    begin();
    for (unsigned i = 0; i < FAKE_FUNCTIONS; i++)
        for (uint64_t at = 0; at < 0x200000; at += 4096)
            EXPECT(fake_dma(i, at, true) < 0);
    EXPECT(fake_faults > 0);
    iommu_interrupt(0);
    EXPECT(strstr(fake_uart_sent(), "PCI 0008 (nobody's): blocked writing 0 (reason 2, 1 times"));
    moves_end();
}

TEST(a_blocked_access_is_told_and_counted)
{
    struct domain *d = &fake_domain[1];
    const char *line;

    begin();
    strcpy(d->label, "disks");
    fake_function[1].owner = d;
    EXPECT(iommu_attach(&fake_function[1], &d->p2m) == 0);
    EXPECT(fake_dma(1, 0x3000, true) > 0 && fake_faults == 0);
    EXPECT(fake_dma(1, 0x123456000, false) < 0 && fake_faults == 1);
    iommu_interrupt(0);
    line = fake_uart_sent();
    EXPECT(strstr(line, "PCI 0020 (disks): blocked reading 123456000 (reason 6, 1 times"));
    EXPECT(fake_send(1, 0xfee00090, 0) < 0);
    iommu_interrupt(0);
    line = fake_uart_sent();
    EXPECT(strstr(line, "PCI 0020 (disks): blocked interrupt 4 (reason 34, 2 times"));
    EXPECT(d->stats.dma_blocked == 2 && fake_domain[0].stats.dma_blocked == 0);
    iommu_detach(&fake_function[1]);
    moves_end();
}

static unsigned lines_of(const char *text)
{
    unsigned n = 0;

    for (; *text; text++)
        n += *text == '\n';
    return n;
}

TEST(a_flood_is_cut_off)
{
    struct domain *d = &fake_domain[2];
    const char *text;

    begin();
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
    iommu_detach(&fake_function[0]);
    EXPECT(iommu_attach(&fake_function[0], &d->p2m) == 0);
    fake_faults = 0;
    EXPECT(fake_dma(0, 0x700000000, true) < 0 && fake_faults == 1);
    iommu_detach(&fake_function[0]);
    moves_end();
}

TEST(functions_that_cannot_be_contained)
{
    struct pci_function kept = {.bdf = FAKE_KEPT};
    struct pci_function behind = {.bdf = 0x0030, .renamed = true};

    begin();
    EXPECT(iommu_attach(&kept, &fake_domain[0].p2m) == -XEN_EPERM);
    EXPECT(strstr(fake_uart_sent(), "PCI 0018 cannot be given away: firmware"));
    EXPECT(iommu_attach(&behind, &fake_domain[0].p2m) == -XEN_EPERM);
    EXPECT(strstr(fake_uart_sent(), "PCI 0030 cannot be given away: a bridge"));
    moves_end();
}

/* Half a lock is none: one unit that lacks something leaves all off, and says why. */
TEST(units_that_lack_something)
{
    static const struct {
        uint64_t cap, ecap;
    } cases[] = {{1ull << 10, 0}, {1ull << 34, 0}, {1ull << 35, 0}, {1ull << 4, 0},
                 {1ull << 7, 0},  {0, 1 << 1},     {0, 1 << 3}};
    struct iommu_message m;

    for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        fake_machine();
        fake_cap ^= cases[i].cap;
        fake_ecap ^= cases[i].ecap;
        fake_vtd();
        (void)fake_uart_sent();
        iommu_init();
        EXPECT(!iommu_is_on() && strstr(fake_uart_sent(), "cannot do what it must"));
        EXPECT(fake_dma(0, 0x1234, true) == 0x1234);
        fake_cap ^= cases[i].cap;
        fake_ecap ^= cases[i].ecap;
    }
    EXPECT(iommu_attach(&fake_function[0], &fake_domain[0].p2m) == 0);
    m = iommu_message_make(3, 0x0008, 0x55);
    EXPECT(m.address == 0xfee03000 && m.data == 0x55);
    iommu_message_drop(3);
    iommu_detach(&fake_function[0]);
}

/* Bits 4 and up of the address go into its route, and its vector is the entry's. */
TEST(the_io_apic_has_an_entry)
{
    struct iommu_message m;

    begin();
    acpi.uart.level = true;
    m = iommu_message_make(IOMMU_ENTRY_UART, 0, 0x61);
    EXPECT(m.data == 0x61 && (m.address >> 4 & 1) && (m.address >> 5 & 0xff) == 255);
    EXPECT(fake_send(0, m.address, 0) < 0); /* and nobody else can use it */
    acpi.ioapic_id = 9;
    (void)fake_uart_sent();
    (void)iommu_message_make(IOMMU_ENTRY_UART, 0, 0x61);
    EXPECT(strstr(fake_uart_sent(), "no unit names the I/O APIC"));
    acpi.ioapic_id = 0;
    moves_end();
}
