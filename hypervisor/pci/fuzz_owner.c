/*
 * Moves of a hostile owner: any access to configuration space, ports and device
 * memory, devices coming and going, interrupts and time between. Seven bytes
 * each. The device must never be told what only the core may tell it; it is
 * never reset while it has an owner, nor touched while it must not be, which the
 * pretend devices see to.
 */
#include <abi/layout.h>

#include <arch/irq.h>

#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "pci/fake_machine.h"
#include "pci/owner.h"
#include "pci/pci.h"
#include "vcpu/vcpu.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct vcpu v = {.domain = &fake_domain};

void check_fail(const char *file, int line, const char *what)
{
    (void)file, (void)line, (void)what;
    abort();
}

static void must(bool x)
{
    if (!x)
        abort();
}

/* Only host vectors reach the table, and only while it is the device's to use. */
static void device_is_safe(void)
{
    static const uint16_t all[] = {FAKE_NVME, FAKE_VIRTIO, FAKE_MSI, FAKE_PAIR, FAKE_PAIR + 1};

    for (unsigned i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
        const struct pci_function *f = function_find(all[i]);
        uint32_t command = fake_config(all[i], 4);

        must(!(command & 4) || f->owner);
        must(fake_is_attached(all[i]) == (f->owner != NULL));
        must((command & 0x400) || !f->owner);
        must(!f->owner || f->reset_phase == RESET_NONE);
        for (unsigned b = 0; b < PCI_BARS; b++)
            must(f->bar[b].mapped == 0 || (f->owner && f->bar[b].mapped >= LAYOUT_BAR_BASE &&
                                           f->bar[b].mapped + f->bar[b].size <= LAYOUT_BAR_END));
    }
    must(!function_find(FAKE_NVME)->owner || fake_config(FAKE_NVME, 0x10) == (FAKE_MEMORY | 4));
    must(!function_find(FAKE_PAIR)->owner || fake_config(FAKE_PAIR, 0x10) == FAKE_MEMORY + 0x8000);
    must(fake_locks == 0);
}

/* Time passes; the device has requests under way, or will be away after its reset. */
static void device_change(uint16_t bdf, const uint8_t *m)
{
    struct fake_device *d = fake_device(bdf);

    fake_now += m[0] * 8000000ull;
    if (!d || (m[1] | m[2]) == 0)
        return;
    d->pending = fake_now + m[1] * 8000000ull;
    d->away_ns = m[2] == UINT8_MAX ? UINT64_MAX : m[2] * 64000000ull;
}

static void move(const uint8_t *m)
{
    static const uint16_t all[] = {FAKE_NVME, FAKE_VIRTIO, FAKE_MSI,      FAKE_BRIDGE,
                                   FAKE_PAIR, FAKE_NVME,   FAKE_PAIR + 1, FAKE_PORT};
    uint16_t bdf = all[(m[0] >> 1 & 4) | (m[0] >> 4 & 3)];
    unsigned size = 1u << (m[0] >> 6);
    uint32_t value;
    uint64_t at;

    memcpy(&value, m + 3, sizeof(value));
    switch (m[0] & 7) {
    case 0: (void)!owner_assign(&fake_domain, bdf); return;
    case 1: (void)!owner_deassign(&fake_domain, bdf); return;
    case 2:
        pci_interrupt(m[1]);
        device_change(bdf, m + 2);
        return;
    case 3:
        if (fake_domain.pci)
            (void)pci_port(&v, (uint16_t)(0xcf8 + m[1] % 8), (uint8_t)(size > 4 ? 4 : size),
                           m[2] & 1, &value);
        return;
    case 4: at = LAYOUT_BAR_BASE + m[1] + m[2] * 256ull; break;
    default: at = LAYOUT_ECAM_BASE + (uint64_t)bdf * PAGE_SIZE + m[1]; break;
    }
    /* As mmio_emulate: not across a page. */
    if (!fake_domain.pci || (at & PAGE_MASK) + size > PAGE_SIZE ||
        !pci_claims(&fake_domain, (gpa_t){at}))
        return;
    (void)pci_mmio.read(&v, (gpa_t){at}, size);
    pci_mmio.write(&v, (gpa_t){at}, size, value * 0x100000001ull);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fake_reset();
    for (size_t i = 0; i + 7 <= size && i < 1400; i += 7) {
        move(data + i);
        device_is_safe();
    }
    pci_release(&fake_domain);
    device_is_safe();
    must(fake_mapped == 0 && fake_vectors == 0 && fake_allocations == 0 && fake_entries == 0);
    return 0;
}
