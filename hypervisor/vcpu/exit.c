/* What a guest did that needs the core, whatever the vendor. */
#include "vcpu/exit.h"

#include <abi/layout.h>

#include "domain/domain.h"
#include "pci/pci.h"
#include "sched/sched.h"
#include "vcpu/cpuid.h"
#include "vcpu/hole.h"
#include "vcpu/msr.h"
#include "vcpu/vcpu.h"

bool exit_cpuid(struct vcpu *v)
{
    struct cpuid out = cpuid_guest(v, (uint32_t)v->regs.rax, (uint32_t)v->regs.rcx);

    v->regs.rax = out.eax;
    v->regs.rbx = out.ebx;
    v->regs.rcx = out.ecx;
    v->regs.rdx = out.edx;
    return true;
}

bool exit_msr(struct vcpu *v, bool write)
{
    uint64_t value = v->regs.rdx << 32 | (uint32_t)v->regs.rax;
    uint32_t index = (uint32_t)v->regs.rcx;
    bool good = write ? msr_emulate_write(v, index, value) : msr_emulate_read(v, index, &value);

    if (!good) {
        vcpu_raise(v, EXCEPTION_GP);
    } else if (!write) {
        v->regs.rax = (uint32_t)value;
        v->regs.rdx = value >> 32;
    }
    return good;
}

bool exit_hlt(struct vcpu *v)
{
    if (v->regs.rflags & RFLAGS_IF)
        sched_block(v);
    else if (!v->lapic.nmi_pending)
        vcpu_down(v); /* for good: how an OS without another way to switch off ends */
    return true;
}

bool exit_io(struct vcpu *v, uint16_t port, unsigned size, bool in, bool string)
{
    uint32_t value = (uint32_t)v->regs.rax;

    if (string) {
        domain_crash(v->domain, "string I/O at port %x", port);
        return false;
    }
    /*
     * Nobody there: writes go nowhere, reads give all-ones. But for the counters of
     * a timer chip: Linux tells at once from a zero that nothing counts; all-ones it
     * would watch for a hundred thousand reads.
     */
    if (!v->domain->pci || !pci_port(v, port, size, in, &value))
        value = port >= 0x40 && port <= 0x42 ? 0 : UINT32_MAX;
    if (in) {
        uint64_t mask = size == 4 ? UINT64_MAX : mmio_mask(size);
        v->regs.rax = (v->regs.rax & ~mask) | (value & mask);
    }
    return true;
}

static uint64_t lapic_page_read(struct vcpu *v, gpa_t at, unsigned size)
{
    uint32_t value = 0;

    if (size != 4 || at.v % 16 != 0)
        return 0;
    (void)lapic_read(v, (uint32_t)at.v & PAGE_MASK, &value);
    return value;
}

static void lapic_page_write(struct vcpu *v, gpa_t at, unsigned size, uint64_t value)
{
    if (size == 4 && at.v % 16 == 0)
        (void)lapic_write(v, (uint32_t)at.v & PAGE_MASK, (uint32_t)value);
}

static const struct mmio_ops lapic_page = {lapic_page_read, lapic_page_write};

void exit_nested(struct vcpu *v, gpa_t at, bool write, bool fetch, bool walk)
{
    struct domain *d = v->domain;
    bool plain = !fetch && !walk;

    if (plain && at.v >> PAGE_SHIFT == LAYOUT_LAPIC_BASE >> PAGE_SHIFT &&
        lapic_page_is_on(&v->lapic)) {
        v->exits_by[BULKHEAD_EXIT_LAPIC]++;
        mmio_emulate(v, at, write, &lapic_page);
        return;
    }
    if (plain && d->pci && pci_claims(d, at)) {
        v->exits_by[BULKHEAD_EXIT_PCI]++;
        mmio_emulate(v, at, write, &pci_mmio);
        return;
    }
    v->exits_by[BULKHEAD_EXIT_HOLE]++;
    hole_touch(v, at, write, fetch);
}
