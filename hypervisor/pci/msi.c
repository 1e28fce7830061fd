/*
 * Interrupt messages: the owner writes what it likes, the device is given a
 * vector of the host's, and what arrives there is delivered as the owner asked.
 */

#include <arch/irq.h>

#include "domain/domain.h"
#include "event/event.h"
#include "iommu/iommu.h"
#include "mm/heap.h"
#include "mm/paging.h"
#include "pci/function.h"
#include "vcpu/lapic.h"

/* The head dword of either capability: control is its upper half. */
#define MSI_ENABLE  (1u << 16)
#define MSI_SHOWN   (0xffffu | 1u << 23) /* of the device's own head: one message, no masks */
#define MSIX_ENABLE (1u << 31)
#define MSIX_MASK   (1u << 30)
#define MSIX_SIZE   0x7ff0000u

/* An entry of the MSI-X table. */
#define ENTRY_LEN     16u
#define ENTRY_LOW     0u
#define ENTRY_HIGH    4u
#define ENTRY_DATA    8u
#define ENTRY_CONTROL 12u
#define ENTRY_MASKED  1u

#define SLOTS 192u /* fewer than IOMMU_ENTRIES */

/* What a vector of the host's stands for; the slot's number is the cookie. */
static struct {
    struct pci_function *function; /* NULL: free */
    unsigned message;
} slots[SLOTS];

/* ---- vectors --------------------------------------------------------------------- */

static bool vector_take(struct pci_function *f, unsigned index)
{
    struct pci_message *m = &f->message[index];

    if (m->vector)
        return true;
    for (unsigned i = 0; i < SLOTS; i++) {
        if (slots[i].function)
            continue;
        int vector = irq_vector_alloc(IRQ_DEVICE, i);
        if (vector < 0)
            break;
        slots[i].function = f;
        slots[i].message = index;
        m->slot = (uint8_t)i;
        m->vector = (uint8_t)vector;
        return true;
    }
    console_log("PCI %04x: no interrupt vector left for message %u", f->bdf, index);
    return false;
}

static void vector_drop(struct pci_message *m)
{
    if (!m->vector)
        return;
    irq_vector_free(m->vector);
    iommu_message_drop(m->slot);
    slots[m->slot].function = NULL;
    m->vector = 0;
}

void pci_interrupt(unsigned cookie)
{
    LOCK_SCOPE(&pci_lock);
    struct pci_function *f = cookie < SLOTS ? slots[cookie].function : NULL;

    if (f && f->owner) {
        const struct pci_message *m = &f->message[slots[cookie].message];

        if (m->word[1] == BULKHEAD_MSI_EVENT)
            event_raise_port(f->owner, m->word[2]);
        else
            lapic_msi(f->owner, (uint64_t)m->word[1] << 32 | m->word[0], m->word[2]);
    }
}

/* A word of a message as its owner writes it; addresses are of whole words. */
static void word_write(struct pci_message *m, unsigned at, uint32_t value)
{
    m->word[at / 4] = at == ENTRY_LOW ? value & ~3u : value;
}

/* ---- MSI: one message in configuration space -------------------------------------- */

static unsigned msi_data_at(const struct pci_function *f)
{
    return f->msi.wide ? 12 : 8;
}

/* Which word of a message stands at an offset of the capability. */
static unsigned msi_word(const struct pci_function *f, unsigned at)
{
    return at == msi_data_at(f) ? ENTRY_DATA : at == 4 ? ENTRY_LOW : ENTRY_HIGH;
}

/* MSI has one of its own after those of MSI-X, so that a guest that enables both confuses only
 * itself. */
static struct pci_message *msi_message(const struct pci_function *f)
{
    return &f->message[f->message_count - 1];
}

/* Off while it changes. */
static void msi_update(struct pci_function *f)
{
    unsigned at = f->msi.capability;
    struct pci_message *m = msi_message(f);

    config_write(f, at + 2, 2, (config_read(f, at, 4) & ~(MSI_ENABLE | 7u << 20)) >> 16);
    if (!f->msi.enabled) {
        vector_drop(m);
        return;
    }
    if (!vector_take(f, f->message_count - 1))
        return;
    /* Masked it is still on, and goes before MSI. */
    if (f->msix.capability && !f->msix.enabled)
        config_write(f, f->msix.capability + 2u, 2, 0);
    struct iommu_message to = iommu_message_make(m->slot, f->bdf, m->vector);
    config_write(f, at + 4, 4, (uint32_t)to.address);
    if (f->msi.wide)
        config_write(f, at + 8, 4, (uint32_t)(to.address >> 32));
    config_write(f, at + msi_data_at(f), 2, to.data);
    config_write(f, at + 2, 2, (config_read(f, at, 4) | MSI_ENABLE) >> 16);
}

uint32_t msi_read(const struct pci_function *f, unsigned offset)
{
    unsigned at = offset - f->msi.capability;

    if (at == 0)
        return (config_read(f, f->msi.capability, 4) & MSI_SHOWN) |
               (f->msi.enabled ? MSI_ENABLE : 0);
    return msi_message(f)->word[msi_word(f, at) / 4];
}

void msi_write(struct pci_function *f, unsigned offset, uint32_t part, uint32_t mask)
{
    unsigned at = offset - f->msi.capability;
    uint32_t value = (msi_read(f, offset) & ~mask) | (part & mask);
    bool enable = (value & MSI_ENABLE) != 0;

    if (at != 0) {
        word_write(msi_message(f), msi_word(f, at), at == msi_data_at(f) ? value & 0xffff : value);
    } else if (enable != f->msi.enabled) {
        f->msi.enabled = enable;
        msi_update(f);
    }
}

/* ---- MSI-X: a table in device memory ---------------------------------------------- */

static volatile uint32_t *entry_word(const struct pci_function *f, unsigned index, unsigned word)
{
    volatile uint8_t *table = f->msix.pages + (f->msix.offset & PAGE_MASK);

    return (volatile uint32_t *)(volatile void *)(table + (size_t)index * ENTRY_LEN + word);
}

/* The real entry: masked, unless the owner wants it and there is a vector for it. */
static void entry_update(struct pci_function *f, unsigned index)
{
    struct pci_message *m = &f->message[index];
    bool wanted = f->msix.enabled && !f->msix.masked && !m->masked;

    if (!wanted || !vector_take(f, index)) {
        if (m->open)
            *entry_word(f, index, ENTRY_CONTROL) = ENTRY_MASKED;
        m->open = false;
        return;
    }
    struct iommu_message to = iommu_message_make(m->slot, f->bdf, m->vector);
    *entry_word(f, index, ENTRY_LOW) = (uint32_t)to.address;
    *entry_word(f, index, ENTRY_HIGH) = (uint32_t)(to.address >> 32);
    *entry_word(f, index, ENTRY_DATA) = to.data;
    *entry_word(f, index, ENTRY_CONTROL) = 0;
    m->open = true;
}

uint32_t msix_control_read(const struct pci_function *f, unsigned)
{
    return (config_read(f, f->msix.capability, 4) & (0xffffu | MSIX_SIZE)) |
           (f->msix.enabled ? MSIX_ENABLE : 0) | (f->msix.masked ? MSIX_MASK : 0);
}

void msix_control_write(struct pci_function *f, unsigned offset, uint32_t value, uint32_t mask)
{
    uint32_t head = config_read(f, f->msix.capability, 4);
    uint32_t control = (msix_control_read(f, offset) & ~mask) | (value & mask);
    bool enabled = (control & MSIX_ENABLE) != 0, masked = (control & MSIX_MASK) != 0;

    if (enabled == f->msix.enabled && masked == f->msix.masked)
        return;
    f->msix.enabled = enabled;
    f->msix.masked = masked;
    /* The whole function is masked while its entries change. */
    config_write(f, f->msix.capability + 2u, 2, (head | MSIX_ENABLE | MSIX_MASK) >> 16);
    for (unsigned i = 0; i < f->msix.count; i++) {
        if (!enabled)
            vector_drop(&f->message[i]);
        entry_update(f, i);
    }
    /* Not off again: a device whose timer is about to send a message may not take that well. */
    head = enabled ? (head | MSIX_ENABLE) & ~MSIX_MASK : head | MSIX_MASK;
    config_write(f, f->msix.capability + 2u, 2, head >> 16);
}

bool msix_is_table(const struct pci_function *f, unsigned at)
{
    unsigned start = f->msix.offset & PAGE_MASK;

    return at >= start && at - start < f->msix.count * ENTRY_LEN;
}

uint32_t msix_table_read(const struct pci_function *f, unsigned at)
{
    unsigned offset = at - (f->msix.offset & PAGE_MASK);

    if (!msix_is_table(f, at))
        return 0;
    const struct pci_message *m = &f->message[offset / ENTRY_LEN];
    if (offset % ENTRY_LEN == ENTRY_CONTROL)
        return m->masked ? ENTRY_MASKED : 0;
    return m->word[offset % ENTRY_LEN / 4];
}

void msix_table_write(struct pci_function *f, unsigned at, uint32_t value)
{
    unsigned offset = at - (f->msix.offset & PAGE_MASK);
    bool masked = (value & ENTRY_MASKED) != 0;

    if (!msix_is_table(f, at))
        return;
    struct pci_message *m = &f->message[offset / ENTRY_LEN];
    if (offset % ENTRY_LEN != ENTRY_CONTROL) {
        word_write(m, offset % ENTRY_LEN, value);
    } else if (m->masked != masked) {
        m->masked = masked;
        entry_update(f, offset / ENTRY_LEN);
    }
}

/* ---- for a new owner ------------------------------------------------------------------ */

int msi_open(struct pci_function *f)
{
    uint64_t table = f->bar[f->msix.bar].host + (f->msix.offset & ~PAGE_MASK);

    if (f->msix.capability && !f->msix.pages) {
        f->msix.pages = paging_map_device((hpa_t){table},
                                          (f->msix.offset & PAGE_MASK) + f->msix.count * ENTRY_LEN);
        if (!f->msix.pages)
            return -XEN_ENOMEM;
    }
    f->message_count = f->msix.count + 1;
    f->message = pool_alloc(pool_order(f->message_count * sizeof(*f->message)));
    if (!f->message)
        return -XEN_ENOMEM;
    for (unsigned i = 0; i < f->message_count; i++)
        f->message[i] = (struct pci_message){.masked = true, .open = !f->msix.shut};
    f->msi.enabled = f->msix.enabled = f->msix.masked = false;
    return 0;
}

void msi_close(struct pci_function *f)
{
    if (f->msi.capability) {
        f->msi.enabled = false;
        msi_update(f);
    }
    if (f->msix.capability) {
        f->msix.enabled = true; /* so that the change below is one */
        msix_control_write(f, 0, 0, UINT32_MAX);
        f->msix.shut = true; /* and a reset masks them, too */
    }
    pool_free(f->message, pool_order(f->message_count * sizeof(*f->message)));
    f->message = NULL;
}
