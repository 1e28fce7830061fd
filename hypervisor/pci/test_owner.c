/* What an owner sees of its functions, what reaches the device, and what is left afterwards. */
#include "pci/owner.h"

#include <abi/bulkhead.h>
#include <abi/layout.h>

#include <arch/irq.h>

#include "check.h"
#include "pci/fake_machine.h"
#include "pci/pci.h"
#include "vcpu/vcpu.h"

static struct vcpu v = {.domain = &fake_domain};

static uint64_t ecam(uint16_t bdf, unsigned offset)
{
    return LAYOUT_ECAM_BASE + (uint64_t)bdf * PAGE_SIZE + offset;
}

static uint32_t get(uint16_t bdf, unsigned offset)
{
    gpa_t at = {ecam(bdf, offset)};

    EXPECT(pci_claims(&fake_domain, at));
    return (uint32_t)pci_mmio.read(&v, at, 4);
}

static void set(uint16_t bdf, unsigned offset, unsigned size, uint32_t value)
{
    pci_mmio.write(&v, (gpa_t){ecam(bdf, offset)}, size, value);
}

static void give(uint16_t bdf)
{
    EXPECT(owner_assign(&fake_domain, bdf) == 0);
}

static void finish(void)
{
    pci_release(&fake_domain);
    EXPECT(!fake_domain.pci && fake_mapped == 0 && fake_vectors == 0);
    EXPECT(fake_locks == 0 && fake_allocations == 0 && fake_entries == 0);
}

TEST(dma_of_all_endpoints_is_off_after_the_scan)
{
    fake_reset();
    EXPECT(!(fake_config(FAKE_NVME, 4) & 4) && !(fake_config(FAKE_MSI, 4) & 4));
    EXPECT(fake_config(FAKE_BRIDGE, 4) & 4);
    EXPECT(fake_config(FAKE_NVME, 0x10) == (FAKE_MEMORY | 4)); /* and firmware's addresses stay */
    EXPECT(function_at(0)->bdf == FAKE_NVME && function_at(8) == NULL);
}

/* What keeps it from its peers is on from the scan, and again after a reset forgot it. */
TEST(access_control_is_on)
{
    fake_reset();
    EXPECT(fake_config(FAKE_NVME, 0x14c) == (BULKHEAD_ACS_ALL << 16 | 0x5f));
    config_write(function_find(FAKE_NVME), 0x14e, 2, 0);
    give(FAKE_NVME);
    EXPECT(fake_config(FAKE_NVME, 0x14c) == (BULKHEAD_ACS_ALL << 16 | 0x5f));
    EXPECT(get(FAKE_NVME, 0x14c) == 0);
    finish();
}

TEST(who_may_get_what)
{
    fake_reset();
    EXPECT(owner_assign(&fake_domain, 0x55) == -XEN_ENODEV);
    EXPECT(owner_assign(&fake_domain, FAKE_BRIDGE) == -XEN_EPERM);
    give(FAKE_NVME);
    EXPECT(owner_assign(&fake_domain, FAKE_NVME) == -XEN_EBUSY);
    EXPECT(owner_deassign(&fake_domain, FAKE_VIRTIO) == -XEN_ENODEV);
    EXPECT(owner_deassign(&fake_domain, FAKE_NVME) == 0);
    EXPECT(owner_deassign(&fake_domain, FAKE_NVME) == -XEN_ENODEV);
    finish();
}

TEST(a_function_is_contained_while_it_has_an_owner)
{
    fake_reset();
    fake_refused = true;
    EXPECT(owner_assign(&fake_domain, FAKE_NVME) == -XEN_EPERM && fake_allocations == 1);
    fake_refused = false;
    give(FAKE_NVME);
    give(FAKE_MSI);
    EXPECT(fake_is_attached(FAKE_NVME) && fake_is_attached(FAKE_MSI));
    set(FAKE_MSI, 0x52, 2, 1);
    EXPECT(fake_entries == 1);
    EXPECT(owner_deassign(&fake_domain, FAKE_MSI) == 0);
    EXPECT(!fake_is_attached(FAKE_MSI) && fake_entries == 0);
    finish();
    EXPECT(!fake_is_attached(FAKE_NVME));
}

/* What a device is told for a page: the machine's address, or the owner's own. */
TEST(addresses_for_devices)
{
    fake_reset();
    EXPECT(pci_bus_address(&fake_domain, (gfn_t){7}, (mfn_t){0x99}) == 0);
    give(FAKE_NVME);
    EXPECT(pci_bus_address(&fake_domain, (gfn_t){7}, (mfn_t){0x99}) == 0x99000);
    fake_contains = true;
    EXPECT(pci_bus_address(&fake_domain, (gfn_t){7}, (mfn_t){0x99}) == 0x7000);
    finish();
}

TEST(the_header_is_filtered)
{
    fake_reset();
    give(FAKE_NVME);
    EXPECT(get(FAKE_NVME, 0) == 0x00101b36 && get(FAKE_NVME, 8) == 0x01080200);
    EXPECT((get(FAKE_NVME, 4) & 0xffff) == 0); /* the owner starts with everything off */
    EXPECT(get(FAKE_NVME, 0x30) == 0 && get(FAKE_NVME, 0x3c) == 0); /* no ROM, no pin */
    EXPECT(get(FAKE_NVME, 0x100) == 0);
    EXPECT(get(FAKE_VIRTIO, 0) == UINT32_MAX); /* not its own */
    set(FAKE_NVME, 0, 4, 0);
    set(FAKE_NVME, 4, 2, 0xffff);
    EXPECT((get(FAKE_NVME, 4) & 0xffff) == 0x546);
    EXPECT((fake_config(FAKE_NVME, 4) & 0x407) == 0x406); /* memory, master, INTx off; no I/O */
    set(FAKE_NVME, 4, 2, 0);
    EXPECT((fake_config(FAKE_NVME, 4) & 0x407) == 0x402);
    finish();
}

TEST(capabilities_that_are_shown)
{
    fake_reset();
    give(FAKE_NVME);
    EXPECT(get(FAKE_NVME, 0x34) == 0x40);
    EXPECT((get(FAKE_NVME, 0x40) & 0xffff) == 0x8011 && (get(FAKE_NVME, 0x80) & 0xffff) == 0x6010);
    EXPECT((get(FAKE_NVME, 0x60) & 0xffff) == 0x0001); /* the last */
    set(FAKE_NVME, 0x88, 2, 0x8000 | 0x10);            /* no reset by the owner */
    EXPECT((fake_config(FAKE_NVME, 0x88) & 0xffff) == 0x30);
    set(FAKE_NVME, 0x64, 2, 3); /* nor D3 */
    EXPECT((fake_config(FAKE_NVME, 0x64) & 3) == 0);
    give(FAKE_VIRTIO);
    EXPECT((get(FAKE_VIRTIO, 0x98) & 0xff00) == 0x8400 && (get(FAKE_VIRTIO, 0x84) & 0xff00) == 0);
    EXPECT(get(FAKE_VIRTIO, 0x70) == 0);
    finish();
}

TEST(memory_follows_bars_and_command)
{
    fake_reset();
    give(FAKE_NVME);
    uint64_t bar = get(FAKE_NVME, 0x10) & ~0xfu;

    EXPECT(bar == LAYOUT_BAR_BASE && fake_mapped == 0);
    set(FAKE_NVME, 4, 2, 2);
    EXPECT(fake_mapped == 3); /* the page of the MSI-X table is not */
    EXPECT(fake_lookup(bar) == FAKE_MEMORY && fake_lookup(bar + 0x3000) == FAKE_MEMORY + 0x3000);
    EXPECT(fake_lookup(bar + 0x2000) == 0 && pci_claims(&fake_domain, (gpa_t){bar + 0x2000}));
    EXPECT(!pci_claims(&fake_domain, (gpa_t){bar + 0x1000}));

    set(FAKE_NVME, 0x10, 4, UINT32_MAX); /* the size */
    set(FAKE_NVME, 0x14, 4, UINT32_MAX);
    EXPECT(get(FAKE_NVME, 0x10) == (~0x3fffu | 4) && get(FAKE_NVME, 0x14) == UINT32_MAX);
    EXPECT(fake_mapped == 0);
    set(FAKE_NVME, 0x14, 4, 0);
    set(FAKE_NVME, 0x10, 4, 0xd0004123); /* elsewhere; the low bits are wired */
    EXPECT(get(FAKE_NVME, 0x10) == (0xd0004000 | 4));
    EXPECT(fake_mapped == 3 && fake_lookup(0xd0005000) == FAKE_MEMORY + 0x1000);
    set(FAKE_NVME, 0x10, 4, 0x00100000); /* over RAM: not mapped */
    EXPECT(fake_mapped == 0);
    set(FAKE_NVME, 0x10, 4, (uint32_t)bar);
    EXPECT(fake_mapped == 3 && fake_config(FAKE_NVME, 0x10) == (FAKE_MEMORY | 4));
    finish();
}

TEST(large_memory_and_ports)
{
    fake_reset();
    give(FAKE_VIRTIO);
    give(FAKE_MSI);
    EXPECT(get(FAKE_VIRTIO, 0x10) == 0); /* I/O ports are nobody's */
    set(FAKE_VIRTIO, 4, 2, 3);
    EXPECT(fake_mapped == 4 && (get(FAKE_VIRTIO, 4) & 3) == 2);
    set(FAKE_MSI, 4, 2, 2);
    EXPECT(fake_mapped == 4 + 512);
    EXPECT((get(FAKE_MSI, 0x10) & 0x1fffff) == 0);

    uint32_t value = 0x80000000u | FAKE_MSI << 8;

    EXPECT(pci_port(&v, 0xcf8, 4, false, &value));
    EXPECT(pci_port(&v, 0xcfc, 4, true, &value) && value == 0x00018086);
    EXPECT(pci_port(&v, 0xcfe, 2, true, &value) && value == 1);
    EXPECT(!pci_port(&v, 0xcf9, 1, true, &value) && !pci_port(&v, 0xcff, 2, true, &value));
    finish();
}

static uint64_t table(unsigned entry, unsigned offset)
{
    return (get(FAKE_NVME, 0x10) & ~0xfu) + 0x2000 + entry * 16 + offset;
}

static void table_set(unsigned entry, unsigned offset, uint32_t value)
{
    pci_mmio.write(&v, (gpa_t){table(entry, offset)}, 4, value);
}

static uint32_t real(unsigned entry, unsigned offset)
{
    uint8_t *p = &fake_memory[0x2000 + entry * 16 + offset];

    return (uint32_t)(p[0] | p[1] << 8 | p[2] << 16) | (uint32_t)p[3] << 24;
}

TEST(msix_messages_go_where_the_owner_says)
{
    fake_reset();
    give(FAKE_NVME);
    set(FAKE_NVME, 4, 2, 6);
    table_set(1, 0, 0xfee00000);
    table_set(1, 8, 0x41);
    EXPECT(pci_mmio.read(&v, (gpa_t){table(1, 8)}, 4) == 0x41);
    EXPECT(pci_mmio.read(&v, (gpa_t){table(1, 8)}, 8) == (1ull << 32 | 0x41)); /* masked at first */
    table_set(1, 12, 0);
    EXPECT(fake_vectors == 0); /* the function is still off */
    set(FAKE_NVME, 0x42, 2, 0x8000);
    EXPECT(fake_vectors == 1 && (fake_config(FAKE_NVME, 0x40) >> 30) == 2);
    EXPECT(real(1, 0) == 0xfee00000 && real(1, 8) == 0x30 && real(1, 12) == 0);
    EXPECT(real(0, 12) == 1 && real(64, 12) == 1);
    pci_interrupt(0);
    EXPECT(fake_msi.count == 1 && fake_msi.address == 0xfee00000 && fake_msi.data == 0x41);
    table_set(1, 8, 0x42); /* another vector of the owner's: the device is not touched */
    pci_interrupt(0);
    EXPECT(fake_msi.data == 0x42 && real(1, 8) == 0x30);
    table_set(1, 4, BULKHEAD_MSI_EVENT);
    pci_interrupt(0);
    EXPECT(fake_msi.count == 2 && fake_msi.port == 0x42 && real(1, 4) == 0);
    table_set(1, 12, 1);
    EXPECT(real(1, 12) == 1);
    set(FAKE_NVME, 0x42, 2, 0);
    EXPECT(fake_vectors == 0 && (fake_config(FAKE_NVME, 0x40) >> 30) == 3); /* masked, not off */
    pci_interrupt(0);
    pci_interrupt(1000);
    EXPECT(fake_msi.count == 2);
    finish();
}

TEST(beside_the_table_the_device_answers)
{
    fake_reset();
    give(FAKE_VIRTIO);
    set(FAKE_VIRTIO, 4, 2, 2);
    uint64_t bar = get(FAKE_VIRTIO, 0x14) & ~0xfu;

    fake_memory[0x4801] = 0x77;
    EXPECT(pci_mmio.read(&v, (gpa_t){bar + 0x801}, 1) == 0x77);
    pci_mmio.write(&v, (gpa_t){bar + 0x810}, 8, 0x1122334455667788);
    EXPECT(fake_memory[0x4810] == 0x88 && fake_memory[0x4817] == 0x11);
    EXPECT(pci_mmio.read(&v, (gpa_t){bar + 0x12}, 2) == 0); /* inside the table: ours */
    EXPECT(fake_memory[0x4000] == 0);
    finish();
}

TEST(without_vectors_a_message_stays_masked)
{
    fake_reset();
    fake_vectors_left = 1;
    give(FAKE_NVME);
    set(FAKE_NVME, 4, 2, 6);
    set(FAKE_NVME, 0x42, 2, 0x8000);
    table_set(0, 12, 0);
    table_set(1, 12, 0);
    EXPECT(fake_vectors == 1 && real(0, 12) == 0 && real(1, 12) == 1);
    finish();
}

TEST(one_message_by_msi)
{
    fake_reset();
    give(FAKE_MSI);
    EXPECT((get(FAKE_MSI, 0x50) >> 16) == 0x80); /* 64 bits, one message, no masks, off */
    set(FAKE_MSI, 0x54, 4, 0xfee01000);
    set(FAKE_MSI, 0x5c, 2, 0x55);
    set(FAKE_MSI, 0x52, 2, 0x81);
    EXPECT(fake_vectors == 1 && (fake_config(FAKE_MSI, 0x50) >> 16 & 0x71) == 1);
    EXPECT(fake_config(FAKE_MSI, 0x54) == 0xfee00000 &&
           (fake_config(FAKE_MSI, 0x5c) & 0xff) == 0x30);
    EXPECT(get(FAKE_MSI, 0x54) == 0xfee01000 && get(FAKE_MSI, 0x5c) == 0x55);
    pci_interrupt(0);
    EXPECT(fake_msi.address == 0xfee01000 && fake_msi.data == 0x55);
    set(FAKE_MSI, 0x60, 4, 0xff); /* its mask register is not shown */
    EXPECT(fake_config(FAKE_MSI, 0x60) == 0);
    finish();
    EXPECT(!(fake_config(FAKE_MSI, 0x50) >> 16 & 1));
}

/* MSI-X that its owner turned off is left on and masked; with that a device sends no MSI. */
TEST(msi_after_msix)
{
    fake_reset();
    give(FAKE_BOTH);
    set(FAKE_BOTH, 4, 2, 6);
    set(FAKE_BOTH, 0x42, 2, 0x8000);
    set(FAKE_BOTH, 0x42, 2, 0);
    EXPECT(fake_config(FAKE_BOTH, 0x40) >> 30 == 3);
    set(FAKE_BOTH, 0x52, 2, 1);
    EXPECT(!(fake_config(FAKE_BOTH, 0x40) >> 31) && (fake_config(FAKE_BOTH, 0x50) >> 16 & 1));
    EXPECT(fake_vectors == 1);
    set(FAKE_BOTH, 0x52, 2, 0);
    /* Who has both on gets what the device makes of that: neither is taken away. */
    set(FAKE_BOTH, 0x42, 2, 0x8000);
    set(FAKE_BOTH, 0x52, 2, 1);
    EXPECT(fake_config(FAKE_BOTH, 0x40) >> 30 == 2 && (fake_config(FAKE_BOTH, 0x50) >> 16 & 1));
    finish();
    EXPECT(fake_config(FAKE_BOTH, 0x40) >> 30 == 3 && !(fake_config(FAKE_BOTH, 0x50) >> 16 & 1));
}

TEST(a_function_that_could_not_be_opened_again_can_be_closed)
{
    fake_reset();
    give(FAKE_NVME);
    give(FAKE_MSI);
    fake_restarted = true;
    for (unsigned refused = 0; refused <= 1; refused++) {
        fake_refused = refused;
        EXPECT(pci_restart(&fake_domain, false) == 0);
        EXPECT(pci_restart(&fake_domain, true) == (refused ? -XEN_EPERM : 0));
        EXPECT(fake_is_attached(FAKE_NVME) == !refused && fake_is_attached(FAKE_MSI) == !refused);
    }
    fake_refused = false;
    EXPECT(pci_restart(&fake_domain, false) == 0 && pci_restart(&fake_domain, true) == 0);
    set(FAKE_NVME, 4, 2, 6);
    set(FAKE_NVME, 0x42, 2, 0x8000);
    table_set(1, 12, 0);
    EXPECT(fake_vectors == 1 && real(1, 12) == 0);
    fake_refused = true;
    EXPECT(pci_restart(&fake_domain, false) == 0 && fake_vectors == 0);
    EXPECT(pci_restart(&fake_domain, true) == -XEN_EPERM);
    finish();
}

TEST(an_iommu_fences_alone_until_mastering_is_switched_on)
{
    fake_reset();
    give(FAKE_NVME);
    fake_contains = true;
    set(FAKE_NVME, 4, 2, 6);
    fake_restarted = true;
    for (unsigned refused = 0; refused <= 1; refused++) {
        EXPECT(fake_is_attached(FAKE_NVME));
        /* A life may end before it comes to that: then it is the same again. */
        for (unsigned i = 0; i < 2; i++) {
            EXPECT(pci_restart(&fake_domain, false) == 0 && !fake_is_attached(FAKE_NVME));
            EXPECT((fake_config(FAKE_NVME, 4) & 4) && pci_restart(&fake_domain, true) == 0);
            EXPECT(!fake_is_attached(FAKE_NVME) && !(get(FAKE_NVME, 4) & 4));
            set(FAKE_NVME, 4, 2, 2);
            EXPECT(!fake_is_attached(FAKE_NVME) && (fake_config(FAKE_NVME, 4) & 4));
        }
        fake_refused = refused;
        set(FAKE_NVME, 4, 2, 6);
        EXPECT(fake_is_attached(FAKE_NVME) == !refused && (fake_config(FAKE_NVME, 4) & 4));
    }
    fake_refused = false;
    set(FAKE_NVME, 4, 2, 6);
    EXPECT(fake_is_attached(FAKE_NVME));
    set(FAKE_NVME, 4, 2, 2);
    EXPECT(fake_is_attached(FAKE_NVME) && !(fake_config(FAKE_NVME, 4) & 4));
    /* Who loses it while it is fenced leaves it with mastering off. */
    set(FAKE_NVME, 4, 2, 6);
    EXPECT(pci_restart(&fake_domain, false) == 0 && (fake_config(FAKE_NVME, 4) & 4));
    fake_restarted = false;
    finish();
    EXPECT(!(fake_config(FAKE_NVME, 4) & 4));
}

TEST(death_fences_the_device)
{
    fake_reset();
    give(FAKE_NVME);
    set(FAKE_NVME, 4, 2, 6);
    set(FAKE_NVME, 0x42, 2, 0x8000);
    table_set(0, 12, 0);
    fake_restarted = true;
    EXPECT(pci_restart(&fake_domain, false) == 0);
    /* Its messages are masked, all and each, and not off. */
    EXPECT(!(fake_config(FAKE_NVME, 4) & 4) && fake_config(FAKE_NVME, 0x40) >> 30 == 3);
    EXPECT(real(0, 12) == 1 && real(5, 12) == 1);
    /* What is masked is not masked again: there may be hundreds. */
    fake_memory[0x2000 + 5 * 16 + 12] = 3;
    EXPECT(pci_restart(&fake_domain, true) == 0);
    set(FAKE_NVME, 4, 2, 6);
    set(FAKE_NVME, 0x42, 2, 0x8000);
    table_set(0, 12, 0);
    EXPECT(real(0, 12) == 0 && real(5, 12) == 3);
    fake_restarted = false;
    finish();
    EXPECT(!(fake_config(FAKE_NVME, 4) & 4) && real(0, 12) == 1);
    EXPECT(pci_bus_address(&fake_domain, (gfn_t){1}, (mfn_t){2}) == 0);
}
