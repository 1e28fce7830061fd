/* Interrupt vectors of the host and who handles them. */
#pragma once

#include <stdint.h>

#include "util/check.h"

/* What an interrupt is for; the handlers stand in one const table by kind. */
enum irq_kind {
    IRQ_SPURIOUS,
    IRQ_TIMER,
    IRQ_KICK,
    IRQ_UART,
    IRQ_DEVICE, /* the cookie goes to pci_interrupt */
    IRQ_IOMMU,
    IRQ_KINDS
};

/* A free vector for messages of a device (data = vector), to CPU 0; -XEN_ENOSPC. */
MUST_USE int irq_vector_alloc(enum irq_kind kind, unsigned cookie);
void irq_vector_free(int vector);

/* The message address and data that raise a vector. */
uint64_t irq_message_address(void);

/* Called by the trap code, interrupts off. */
void irq_handle(unsigned vector);

/* Implemented by the PCI layer: a device of the cookie raised its vector. */
void pci_interrupt(unsigned cookie);
