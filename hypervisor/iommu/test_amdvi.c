/* What is AMD-Vi's own. */
#include "iommu/iommu.h"

#include <string.h>

#include "check.h"
#include "fake_arch.h"
#include "fake_domain.h"

#include <arch/acpi.h>

#include "iommu/moves.h"
#include "mm/heap.h"
#include "pci/function.h"

TEST(amdvi_units_that_lack_something)
{
    fake_machine();
    fake_features ^= 1ull << 6;
    fake_units(&fake_amdvi);
    (void)fake_uart_sent();
    iommu_init();
    EXPECT(!iommu_is_on() && strstr(fake_uart_sent(), "cannot do what it must"));
    EXPECT(fake_dma(0, 0x1234, true) == 0x1234);
    fake_features ^= 1ull << 6;
}

/* Sends as the I/O APIC does; the vector that arrives, or negative. */
static int ioapic_send(struct iommu_message m)
{
    return fake_amdvi.send(0, 0x00a0, m.address, m.data);
}

/*
 * When such an interrupt ends, the I/O APIC is told by the number that it sent: so
 * that is the vector. The unit has read by then that nothing of it may pass.
 */
TEST(the_io_apic_has_entries_of_amdvi)
{
    struct iommu_message uart, timer;

    moves_begin(&fake_amdvi);
    EXPECT(ioapic_send((struct iommu_message){0xfee00000, 0x61}) < 0);
    uart = iommu_message_make(IOMMU_ENTRY_UART, 0, 0x61);
    EXPECT(uart.data == 0x61 && ioapic_send(uart) == 0x61);
    timer = iommu_message_make(IOMMU_ENTRY_HEARTBEAT, 0, 0x72);
    EXPECT(timer.data == 0x72 && ioapic_send(timer) == 0x72 && ioapic_send(uart) == 0x61);
    for (unsigned i = 0; i < FAKE_FUNCTIONS; i++)
        EXPECT(fake_send(i, uart.address, uart.data) < 0);
    iommu_message_drop(IOMMU_ENTRY_UART);
    EXPECT(ioapic_send(uart) < 0 && ioapic_send(timer) == 0x72);
    acpi.ioapic_id = 9;
    (void)fake_uart_sent();
    (void)iommu_message_make(IOMMU_ENTRY_UART, 0, 0x61);
    EXPECT(strstr(fake_uart_sent(), "no unit names the I/O APIC"));
    acpi.ioapic_id = 0;
    fake_pool_kept += 4096; /* its table */
    moves_end();
}

/* NMI, INIT and an old controller's interrupt, which no entry is asked about. */
TEST(messages_of_other_kinds)
{
    static const uint32_t kinds[] = {3, 4, 5, 6, 7};

    moves_begin(&fake_amdvi);
    EXPECT(iommu_attach(&fake_function[0], &fake_domain[0].p2m) == 0);
    (void)iommu_message_make(0, fake_function[0].bdf, 0x50);
    for (unsigned i = 0; i < FAKE_FUNCTIONS; i++)
        for (unsigned k = 0; k < sizeof(kinds) / sizeof(kinds[0]); k++)
            EXPECT(fake_send(i, 0xfee00000, kinds[k] << 8) < 0);
    EXPECT(fake_send(0, 0xfee00000, 0) == 0x50);
    iommu_message_drop(0);
    iommu_detach(&fake_function[0], false);
    moves_end();
}

/* The log has 255 places. Whoever fills it does not keep others from being told of. */
TEST(a_log_that_was_full)
{
    struct domain *d = &fake_domain[0];

    moves_begin(&fake_amdvi);
    fake_function[0].owner = d;
    EXPECT(iommu_attach(&fake_function[0], &d->p2m) == 0);
    for (unsigned i = 0; i < 300; i++)
        EXPECT(fake_dma(0, 0x700000000, true) < 0);
    EXPECT(fake_faults == 2); /* the first, and that it is full */
    iommu_interrupt(0);
    EXPECT(d->stats.dma_blocked == 255);
    EXPECT(fake_dma(0, 0x700000000, true) < 0 && fake_faults == 3);
    iommu_interrupt(0);
    EXPECT(d->stats.dma_blocked == 256);
    iommu_detach(&fake_function[0], false);
    moves_end();
}

/*
 * The log's end can be seen before the event there, where an older one lies that was
 * told of: it is told of with the next.
 */
TEST(an_event_that_comes_late)
{
    moves_begin(&fake_amdvi);
    for (unsigned i = 0; i < 300; i++) {
        EXPECT(fake_dma(1 + i % 2, 0x7000, true) < 0);
        iommu_interrupt(0);
    }
    fake_function[1].owner = &fake_domain[1];
    fake_function[1].blocked = 0;
    fake_event_late = true;
    EXPECT(fake_dma(1, 0x5000, false) < 0);
    (void)fake_uart_sent();
    iommu_interrupt(0);
    EXPECT(fake_domain[1].stats.dma_blocked == 0 && fake_uart_sent()[0] == '\0');
    fake_event_late = false;
    EXPECT(fake_dma(1, 0x6000, true) < 0);
    iommu_interrupt(0);
    EXPECT(fake_domain[1].stats.dma_blocked == 2);
    EXPECT(strstr(fake_uart_sent(), "blocked reading 5000"));
    moves_end();
}

/* A unit that cannot interrupt still blocks. */
TEST(a_unit_without_a_message)
{
    fake_machine();
    fake_units(&fake_amdvi);
    fake_function[FAKE_FUNCTIONS].msi.capability = 0;
    (void)fake_uart_sent();
    iommu_init();
    EXPECT(iommu_is_on() && strstr(fake_uart_sent(), "no way to tell"));
    EXPECT(fake_dma(0, 0x1000, true) < 0 && fake_faults == 0);
    EXPECT(fake_dma(1, 0x1000, true) < 0 && fake_faults == 1);
}

/* The table of functions reaches as far as buses do, and a name behind it reaches nothing. */
TEST(a_bus_far_away)
{
    uint8_t bytes[512];

    fake_bdf[2] = 0x07f8;
    for (uint64_t seed = 1; seed <= 5; seed++) {
        moves_fill(bytes, sizeof(bytes), seed);
        iommu_moves(&fake_amdvi, bytes, sizeof(bytes));
    }
    moves_begin(&fake_amdvi);
    iommu_interrupt(0);
    (void)fake_uart_sent();
    EXPECT(fake_amdvi.send(1, 0x0840, 0xfee00000, 0x31) < 0);
    iommu_interrupt(0);
    EXPECT(strstr(fake_uart_sent(), "PCI 0840 (nobody's): blocked interrupt"));
    moves_end();
    fake_bdf[2] = 0x0100;
}

/* Of what an owner's CPUs reach beside memory, its devices reach nothing. */
TEST(devices_reach_memory_alone)
{
    static const struct {
        enum p2m_type type;
        unsigned rights; /* 1 reading, 2 writing */
    } cases[] = {{P2M_RAM_RO, 1}, {P2M_SHARED, 0},  {P2M_DEVICE, 0},
                 {P2M_HOLE, 0},   {P2M_SCRATCH, 0}, {P2M_EMPTY, 0}};
    struct domain *d = &fake_domain[0];

    moves_begin(&fake_amdvi);
    mfn_t page = pool_mfn(d->shared);
    EXPECT(iommu_attach(&fake_function[0], &d->p2m) == 0);
    for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        uint64_t at = (100ull + i) << PAGE_SHIFT;

        EXPECT(cases[i].type == P2M_EMPTY ||
               p2m_map(&d->p2m, (gfn_t){100 + i}, page, 0, cases[i].type) == 0);
        EXPECT((fake_dma(0, at, false) > 0) == (cases[i].rights & 1));
        EXPECT((fake_dma(0, at, true) > 0) == (cases[i].rights >> 1));
    }
    iommu_detach(&fake_function[0], false);
    moves_end();
}

/* A name that no unit has in the table, but that comes through one, is cut off as well. */
TEST(a_flood_under_a_name_that_firmware_does_not_tell)
{
    moves_begin(&fake_amdvi);
    fake_faults = 0;
    for (unsigned i = 0; i < 600; i++) {
        EXPECT(fake_amdvi.send(0, 0x0042, 0xfee00000, 0x31) < 0);
        iommu_interrupt(0);
    }
    EXPECT(fake_faults == 1);
    moves_end();
}

/* Both kinds of what is blocked are recorded no more, until the owner changes. */
TEST(what_was_silenced_is_told_again)
{
    struct domain *d = &fake_domain[0];

    moves_begin(&fake_amdvi);
    EXPECT(iommu_attach(&fake_function[0], &d->p2m) == 0);
    for (unsigned i = 0; i < 300; i++) {
        EXPECT(fake_send(0, 0xfee00000, i % 200) < 0);
        iommu_interrupt(0);
    }
    EXPECT(fake_faults == 256 && fake_dma(0, 0x700000000, true) < 0 && fake_faults == 256);
    iommu_detach(&fake_function[0], false);
    EXPECT(fake_send(0, 0xfee00000, 0) < 0 && fake_faults == 257);
    iommu_interrupt(0);
    EXPECT(fake_dma(0, 0x700000000, true) < 0 && fake_faults == 258);
    moves_end();
}

/* An emulated unit may remember that a page was not there. */
TEST(units_that_keep_what_is_absent)
{
    uint8_t bytes[512];

    fake_keeps_absent = true;
    for (uint64_t seed = 1; seed <= 20; seed++) {
        moves_fill(bytes, sizeof(bytes), seed);
        iommu_moves(&fake_amdvi, bytes, sizeof(bytes));
    }
    fake_keeps_absent = false;
}
