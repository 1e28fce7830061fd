/* What is VT-d's own. */
#include "iommu/iommu.h"

#include <string.h>

#include "check.h"
#include "fake_arch.h"
#include "fake_domain.h"

#include <arch/acpi.h>

#include "iommu/moves.h"
#include "pci/function.h"

/* A unit that reads its tables past the CPU's caches is the rule in the moves; here is the other.
 */
TEST(coherent_units)
{
    uint8_t bytes[512];

    fake_ecap |= 1;
    moves_fill(bytes, sizeof(bytes), 77);
    iommu_moves(&fake_vtd, bytes, sizeof(bytes));
    fake_ecap &= ~1ull;
}

/* Half a lock is none: one unit that lacks something leaves all off, and says why. */
TEST(vtd_units_that_lack_something)
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
        fake_units(&fake_vtd);
        (void)fake_uart_sent();
        iommu_init();
        EXPECT(!iommu_is_on() && strstr(fake_uart_sent(), "cannot do what it must"));
        EXPECT(fake_dma(0, 0x1234, true) == 0x1234);
        iommu_interrupt(0); /* which a device can forge then */
        fake_cap ^= cases[i].cap;
        fake_ecap ^= cases[i].ecap;
    }
    EXPECT(iommu_attach(&fake_function[0], &fake_domain[0].p2m) == 0);
    m = iommu_message_make(3, 0x0008, 0x55);
    EXPECT(m.address == 0xfee03000 && m.data == 0x55);
    iommu_message_drop(3);
    iommu_detach(&fake_function[0], false);
}

/* Bits 4 and up of the address go into its route, and its vector is the entry's. */
TEST(the_io_apic_has_an_entry_of_vtd)
{
    struct iommu_message m;

    moves_begin(&fake_vtd);
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
