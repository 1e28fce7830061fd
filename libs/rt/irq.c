/* Device interrupts: vectors of the local APIC, written by devices as messages. */
#include <rt/event.h>

#include <abi/layout.h>

#include "cpu.h"
#include "internal.h"
#include "layout.h"

#define APIC_ID          0x20u
#define APIC_EOI         0xb0u
#define APIC_SPURIOUS    0xf0u
#define APIC_BASE_X2APIC (1u << 10)
#define APIC_ENABLED     0x100u

uint32_t volatile *irq_eoi; /* for trap.S; NULL: by x2APIC register */

static unsigned used;

bool irq_is_used(void)
{
    return used > 0;
}

static volatile uint32_t *page_register(unsigned offset)
{
    uintptr_t a = LAYOUT_LAPIC_BASE + offset;

    return (volatile uint32_t *)a; /* NOLINT(performance-no-int-to-ptr) */
}

static bool is_x2apic(void)
{
    return (msr_read(MSR_APIC_BASE) & APIC_BASE_X2APIC) != 0;
}

static void enable(void)
{
    if (is_x2apic()) {
        msr_write(MSR_X2APIC + APIC_SPURIOUS / 16, APIC_ENABLED | VECTOR_SPURIOUS);
        return;
    }
    *page_register(APIC_SPURIOUS) = APIC_ENABLED | VECTOR_SPURIOUS;
    irq_eoi = page_register(APIC_EOI);
}

static uint32_t own_id(void)
{
    if (is_x2apic())
        return (uint32_t)msr_read(MSR_X2APIC + APIC_ID / 16) & 0xff;
    return *page_register(APIC_ID) >> 24;
}

int irq_alloc(uint64_t *address, uint32_t *data)
{
    if (used == VECTOR_IRQ_COUNT)
        return -XEN_ENOSPC;
    if (used == 0)
        enable();
    *address = LAYOUT_LAPIC_BASE | (uint64_t)own_id() << 12;
    *data = VECTOR_IRQ + used;
    return (int)used++;
}
