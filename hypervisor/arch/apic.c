/* The local APIC, by its page or, where the CPU has it, by x2APIC registers. */
#include <arch/apic.h>

#include <arch/cpu.h>
#include <arch/io.h>
#include <arch/msr.h>
#include <arch/vectors.h>

#include "mm/paging.h"
#include "util/check.h"

#define LVT_NMI     0x400u
#define DIVIDE_BY_1 0xbu
#define ICR_BUSY    (1u << 12)
#define PAGE_LEN    0x400u

#define PIC1_MASK 0x21
#define PIC2_MASK 0xa1

static volatile uint32_t *page; /* NULL: x2APIC */

static uint32_t reg_read(unsigned reg)
{
    return page ? page[reg / 4] : (uint32_t)msr_read(MSR_X2APIC + reg / 16);
}

static void reg_write(unsigned reg, uint32_t v)
{
    if (page)
        page[reg / 4] = v;
    else
        msr_write(MSR_X2APIC + reg / 16, v);
}

void apic_init(uint64_t address)
{
    uint64_t base = msr_read(MSR_APIC_BASE) | APIC_BASE_ENABLE;

    /* The old interrupt controllers are silent; what they say all the same ends at LINT0. */
    io_write8(PIC1_MASK, 0xff);
    io_write8(PIC2_MASK, 0xff);
    if (cpu_cpuid(1, 0).ecx & 1u << 21) {
        msr_write(MSR_APIC_BASE, base);
        msr_write(MSR_APIC_BASE, base | APIC_BASE_X2APIC);
    } else {
        msr_write(MSR_APIC_BASE, base);
        page = paging_map_device((hpa_t){address}, PAGE_LEN);
        CHECK(page);
    }
    reg_write(APIC_TPR, 0);
    reg_write(APIC_LVT + 0x10, APIC_MASKED);
    reg_write(APIC_LVT + 0x20, APIC_MASKED);
    reg_write(APIC_LVT + 0x30, APIC_MASKED);
    reg_write(APIC_LVT + 0x40, LVT_NMI);
    reg_write(APIC_LVT_LAST, APIC_MASKED);
    reg_write(APIC_TIMER_DIVIDE, DIVIDE_BY_1);
    reg_write(APIC_LVT, VECTOR_TIMER);
    reg_write(APIC_SVR, APIC_SVR_ENABLE | VECTOR_SPURIOUS);
    cpu_this()->apic_id = apic_id();
}

uint32_t apic_id(void)
{
    return page ? reg_read(APIC_ID) >> 24 : reg_read(APIC_ID);
}

void apic_eoi(void)
{
    reg_write(APIC_EOI, 0);
}

void apic_send(uint32_t id, unsigned vector)
{
    if (!page) {
        msr_write(MSR_X2APIC + APIC_ICR / 16, (uint64_t)id << 32 | vector);
        return;
    }
    while (reg_read(APIC_ICR) & ICR_BUSY)
        cpu_relax();
    reg_write(APIC_ICR_HIGH, id << 24);
    reg_write(APIC_ICR, vector);
}

void apic_timer_start(uint32_t count)
{
    reg_write(APIC_TIMER_INITIAL, count);
}

uint32_t apic_timer_left(void)
{
    return reg_read(APIC_TIMER_CURRENT);
}
