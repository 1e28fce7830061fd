/* The modern PCI transport: where its parts are, reset, features. */
#include "virtio.h"

#include <abi/xen.h>

#include <mmio.h>
#include <rt/clock.h>
#include <rt/start.h>

/* Kinds of capability, and where their fields are. */
#define CAP_COMMON      1u
#define CAP_NOTIFY      2u
#define CAP_DEVICE      4u
#define CAP_LEN         2u
#define CAP_KIND        3u
#define CAP_BAR         4u
#define CAP_OFFSET      8u
#define CAP_LENGTH      12u
#define CAP_NOTIFY_STEP 16u

#define COMMON_DEVICE_FEATURE_SELECT 0u
#define COMMON_DEVICE_FEATURE        4u
#define COMMON_DRIVER_FEATURE_SELECT 8u
#define COMMON_DRIVER_FEATURE        12u
#define COMMON_MSIX_CONFIG           16u
#define COMMON_STATUS                20u
#define COMMON_BYTES                 56u

#define STATUS_ACKNOWLEDGE 1u
#define STATUS_DRIVER      2u
#define STATUS_DRIVER_OK   4u
#define STATUS_FEATURES_OK 8u
#define NO_VECTOR          0xffffu

#define RESET_NS 1000000000ull

/* The first capability of a kind with enough in it, mapped; NULL if there is none. */
static volatile uint8_t *part_map(struct pci_function *f, uint8_t kind, uint32_t least,
                                  uint32_t *len, uint8_t *where)
{
    uint8_t at = 0;

    while ((at = pci_capability(f, PCI_CAP_VENDOR, at)) != 0) {
        if (pci_read8(f, at + CAP_LEN) < 16 || pci_read8(f, at + CAP_KIND) != kind || at > 0xec)
            continue;
        *len = pci_read32(f, at + CAP_LENGTH);
        *where = at;
        if (*len < least)
            continue;

        volatile uint8_t *part =
            pci_bar_map(f, pci_read8(f, at + CAP_BAR), pci_read32(f, at + CAP_OFFSET), *len);

        if (part)
            return part;
    }
    return NULL;
}

bool virtio_reset(struct virtio *v)
{
    uint64_t deadline = clock_now() + RESET_NS;

    mmio_write8(v->common + COMMON_STATUS, 0);
    for (;;) {
        uint8_t status = mmio_read8(v->common + COMMON_STATUS);

        if (status == 0)
            return true;
        if (status == UINT8_MAX || clock_now() >= deadline)
            return false;
    }
}

int virtio_open(struct virtio *v, const struct pci_function *function, const char **why)
{
    struct pci_function *f = &v->function;
    uint32_t len;
    uint8_t at;

    *v = (struct virtio){.function = *function};
    pci_command(f, 0, PCI_COMMAND_MASTER);
    *why = "has no modern transport";
    v->common = part_map(f, CAP_COMMON, COMMON_BYTES, &len, &at);
    v->notify = part_map(f, CAP_NOTIFY, 2, &v->notify_len, &at);
    if (!v->common || !v->notify)
        return -XEN_ENODEV;
    v->notify_step = pci_read32(f, at + CAP_NOTIFY_STEP);
    v->config = part_map(f, CAP_DEVICE, 1, &v->config_len, &at);
    *why = "has no MSI-X";
    if (pci_msix_open(&v->msix, &v->function) < 0)
        return -XEN_ENODEV;
    pci_command(f, PCI_COMMAND_MEMORY | PCI_COMMAND_NO_INTX, 0);
    *why = "does not reset";
    return virtio_reset(v) ? 0 : -XEN_EIO;
}

static uint64_t features_offered(const struct virtio *v)
{
    uint64_t features = 0;

    for (uint32_t half = 0; half < 2; half++) {
        mmio_write32(v->common + COMMON_DEVICE_FEATURE_SELECT, half);
        features |= (uint64_t)mmio_read32(v->common + COMMON_DEVICE_FEATURE) << 32 * half;
    }
    return features;
}

int virtio_negotiate(struct virtio *v, uint64_t wanted, const char **why)
{
    const uint8_t driver = STATUS_ACKNOWLEDGE | STATUS_DRIVER;

    mmio_write8(v->common + COMMON_STATUS, STATUS_ACKNOWLEDGE);
    mmio_write8(v->common + COMMON_STATUS, driver);
    v->features = features_offered(v) & (wanted | VIRTIO_F_VERSION_1 | VIRTIO_F_ACCESS_PLATFORM);
    *why = "is older than version 1";
    if (!(v->features & VIRTIO_F_VERSION_1))
        return -XEN_ENODEV;
    /* Its addresses would be the machine's, and ours mean something else there. */
    *why = "goes round the IOMMU";
    if (start_has_iommu() && !(v->features & VIRTIO_F_ACCESS_PLATFORM))
        return -XEN_ENODEV;
    for (uint32_t half = 0; half < 2; half++) {
        mmio_write32(v->common + COMMON_DRIVER_FEATURE_SELECT, half);
        mmio_write32(v->common + COMMON_DRIVER_FEATURE, (uint32_t)(v->features >> 32 * half));
    }
    mmio_write8(v->common + COMMON_STATUS, driver | STATUS_FEATURES_OK);
    *why = "does not accept its own features";
    if (!(mmio_read8(v->common + COMMON_STATUS) & STATUS_FEATURES_OK))
        return -XEN_ENODEV;
    mmio_write16(v->common + COMMON_MSIX_CONFIG, NO_VECTOR);
    return 0;
}

bool virtio_config_vector(const struct virtio *v, uint16_t vector)
{
    mmio_write16(v->common + COMMON_MSIX_CONFIG, vector);
    return mmio_read16(v->common + COMMON_MSIX_CONFIG) == vector;
}

void virtio_ready(struct virtio *v)
{
    mmio_write8(v->common + COMMON_STATUS,
                STATUS_ACKNOWLEDGE | STATUS_DRIVER | STATUS_FEATURES_OK | STATUS_DRIVER_OK);
}
