#include <arch/irq.h>
void irq_handle(unsigned vector) { (void)vector; }
