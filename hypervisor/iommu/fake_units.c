/* The machine around pretend units, and what the core's part for them asks of it. */
#include "iommu/fake_units.h"

#include <string.h>

#include "check.h"
#include "fake_arch.h"

#include <arch/acpi.h>
#include <arch/irq.h>
#include <arch/table.h>

#include "iommu/dmar.h"
#include "iommu/ivrs.h"
#include "mm/frame.h"
#include "mm/paging.h"

#define UNIT_BDF 0x0002u /* of the first unit's own function; the next are its neighbours */

uint16_t fake_bdf[FAKE_FUNCTIONS] = {0x0008, 0x0020, 0x0100};
struct pci_function fake_function[FAKE_FUNCTIONS + FAKE_UNITS];
unsigned fake_faults;
struct acpi acpi;
struct lock pci_lock = LOCK_INIT(LOCK_PCI);

const uint8_t fake_unit_of[FAKE_FUNCTIONS] = {0, 1, 1};
static const struct fake_vendor *vendor;
static uint8_t regs[FAKE_UNITS][FAKE_UNIT_LEN] __attribute__((aligned(16)));
static uint8_t config[2][256 * PAGE_SIZE];
static uint8_t memory[(size_t)FAKE_FRAMES * PAGE_SIZE]; /* what came out of the CPU's caches */

/* ---- memory ------------------------------------------------------------------------------- */

void fake_forgets(uint64_t mfn)
{
    EXPECT(frame_kind((mfn_t){mfn}, NULL) != FRAME_FREE);
}

uint64_t fake_word(uint64_t address, bool coherent)
{
    const uint8_t *page = fake_frame(address >> PAGE_SHIFT);
    uint64_t value;

    if (!coherent)
        page = memory + (address - ((uint64_t)FAKE_FIRST << PAGE_SHIFT) - (address & PAGE_MASK));
    memcpy(&value, page + (address & PAGE_MASK), sizeof(value));
    return value;
}

void table_flush(const void *p, size_t len)
{
    size_t at = (size_t)((const char *)p - (const char *)fake_frame(FAKE_FIRST));

    memcpy(memory + at, p, len);
}

/* ---- registers ---------------------------------------------------------------------------- */

uint64_t fake_reg(unsigned unit, unsigned at, unsigned size)
{
    uint64_t value = 0;

    memcpy(&value, regs[unit] + at, size);
    return value;
}

void fake_reg_set(unsigned unit, unsigned at, unsigned size, uint64_t value)
{
    memcpy(regs[unit] + at, &value, size);
}

/* The unit that has a register; negative: it is no unit's. */
static int unit_at(const volatile uint8_t *at)
{
    for (unsigned i = 0; i < FAKE_UNITS; i++)
        if (at >= regs[i] && at < regs[i] + FAKE_UNIT_LEN)
            return (int)i;
    return -1;
}

uint64_t device_read(const volatile uint8_t *at, unsigned size)
{
    int unit = unit_at(at);
    uint64_t value = 0;

    if (unit >= 0 && vendor->look)
        vendor->look((unsigned)unit, (unsigned)(at - regs[unit]));
    for (unsigned i = 0; i < size; i++)
        value |= (uint64_t)at[i] << (8 * i);
    return value;
}

void device_write(volatile uint8_t *at, unsigned size, uint64_t value)
{
    int unit = unit_at(at);

    CHECK(unit >= 0);
    vendor->write((unsigned)unit, (unsigned)(at - regs[unit]), size, value);
}

void *paging_map_device(hpa_t address, size_t len)
{
    EXPECT(address.v >= FAKE_UNIT_BASE && len <= FAKE_UNIT_LEN);
    return regs[(address.v - FAKE_UNIT_BASE) / FAKE_UNIT_LEN];
}

/* ---- functions ---------------------------------------------------------------------------- */

int64_t fake_dma(unsigned function, uint64_t address, bool write)
{
    return vendor->dma(fake_unit_of[function], fake_bdf[function], address, write);
}

int fake_send(unsigned function, uint64_t address, uint32_t data)
{
    return vendor->send(fake_unit_of[function], fake_bdf[function], address, data);
}

volatile uint8_t *config_bus(unsigned number)
{
    return number < 2 ? config[number] : NULL;
}

struct pci_function *function_find(uint16_t bdf)
{
    struct pci_function *f;

    for (unsigned i = 0; (f = function_at(i)) != NULL; i++)
        if (f->bdf == bdf)
            return f;
    return NULL;
}

struct pci_function *function_at(unsigned index)
{
    return index < FAKE_FUNCTIONS + FAKE_UNITS ? &fake_function[index] : NULL;
}

uint32_t config_read(const struct pci_function *f, unsigned offset, unsigned size)
{
    return (uint32_t)device_read(f->config + offset, size);
}

void config_write(const struct pci_function *f, unsigned offset, unsigned size, uint32_t value)
{
    for (unsigned i = 0; i < size; i++)
        f->config[offset + i] = (uint8_t)(value >> (8 * i));
}

int irq_vector_alloc(enum irq_kind kind, unsigned cookie)
{
    EXPECT(kind == IRQ_IOMMU && cookie == 0);
    return FAKE_VECTOR;
}

void irq_vector_free(int vector)
{
    EXPECT(vector == FAKE_VECTOR);
}

uint64_t irq_message_address(void)
{
    return FAKE_MESSAGE;
}

/* ---- start -------------------------------------------------------------------------------- */

/* The units' own functions have one message of 64 bits, in which firmware left rubbish. */
static void functions_start(void)
{
    for (unsigned i = 0; i < FAKE_FUNCTIONS; i++)
        fake_function[i] = (struct pci_function){.bdf = fake_bdf[i]};
    for (unsigned i = 0; i < FAKE_UNITS; i++) {
        struct pci_function *f = &fake_function[FAKE_FUNCTIONS + i];

        *f = (struct pci_function){.bdf = (uint16_t)(UNIT_BDF + i),
                                   .config = config[0] + (UNIT_BDF + i) * PAGE_SIZE,
                                   .msi = {.capability = FAKE_MSI_AT, .wide = true},
                                   .reserved = true};
        config_write(f, FAKE_UNIT_AT, 4, 0x0003000f | (fake_keeps_absent ? 1u << 26 : 0));
        config_write(f, FAKE_MSI_AT, 4, 0x00800005);
    }
}

void fake_units(const struct fake_vendor *which)
{
    vendor = which;
    memset(regs, 0, sizeof(regs));
    memset(config, 0xff, sizeof(config));
    config[0][(size_t)FAKE_BRIDGE * PAGE_SIZE + CONFIG_HEADER + 2] = 1;
    config[0][(size_t)FAKE_BRIDGE * PAGE_SIZE + CONFIG_BUSES + 1] = 1;
    config[0][(size_t)FAKE_BRIDGE * PAGE_SIZE + CONFIG_BUSES + 2] = 1;
    functions_start();
    memset(memory, 0xa5, sizeof(memory)); /* whatever was not flushed is rubbish */
    fake_faults = 0;
    fake_event_late = false;
    table_amdvi = false;
    dmar = (struct dmar){.usable = false};
    ivrs = (struct ivrs){.usable = false};
    vendor->start();
}
