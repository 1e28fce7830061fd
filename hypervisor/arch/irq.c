/* Interrupt vectors: what each is for, and the handlers by kind. */
#include <arch/irq.h>

#include <arch/apic.h>
#include <arch/cpu.h>
#include <arch/vectors.h>

#include <abi/xen.h>

#include "console/console.h"
#include "iommu/iommu.h"

static struct {
    uint8_t kind;
    unsigned cookie;
} vectors[256] = {
    [VECTOR_TIMER] = {IRQ_TIMER, 0},
    [VECTOR_KICK] = {IRQ_KICK, 0},
};

static void handle_timer(unsigned)
{
    cpu_this()->timer_fired = true;
}

static void handle_uart(unsigned)
{
    console_receive();
}

/* Nothing is to be done for a spurious one; whoever kicked has set a flag: it is looked at later.
 */
static void (*const handlers[IRQ_KINDS])(unsigned cookie) = {
    [IRQ_TIMER] = handle_timer,
    [IRQ_UART] = handle_uart,
    [IRQ_DEVICE] = pci_interrupt,
    [IRQ_IOMMU] = iommu_interrupt,
};

void irq_handle(unsigned vector)
{
    /* Always: a spurious one ends nothing, since no other is in service here, and one that a device
     * forged as such would otherwise stay and keep all others away. */
    apic_eoi();
    cpu_this()->device = vectors[vector].kind == IRQ_DEVICE;
    if (handlers[vectors[vector].kind])
        handlers[vectors[vector].kind](vectors[vector].cookie);
    cpu_this()->device = false;
}

int irq_vector_alloc(enum irq_kind kind, unsigned cookie)
{
    for (unsigned v = VECTOR_FIRST; v <= VECTOR_LAST; v++)
        if (vectors[v].kind == IRQ_SPURIOUS) {
            vectors[v].cookie = cookie;
            vectors[v].kind = (uint8_t)kind;
            return (int)v;
        }
    return -XEN_ENOSPC;
}

void irq_vector_free(int vector)
{
    vectors[vector].kind = IRQ_SPURIOUS;
}

uint64_t irq_message_address(void)
{
    return 0xfee00000 | (uint64_t)(cpu_by_id(0)->apic_id & 0xff) << 12;
}
