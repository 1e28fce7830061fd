/* The core's start, in order. */
#include <arch/acpi.h>
#include <arch/apic.h>
#include <arch/clock.h>
#include <arch/cpu.h>
#include <arch/heartbeat.h>
#include <arch/irq.h>
#include <arch/power.h>
#include <arch/trap.h>
#include <arch/uart.h>

#include "boot/handoff.h"
#include "boot/options.h"
#include "console/console.h"
#include "iommu/iommu.h"
#include "mm/frame.h"
#include "mm/heap.h"
#include "mm/memory.h"
#include "pci/pci.h"
#include "sched/sched.h"
#include "util/check.h"
#include "vcpu/hole.h"
#include "vcpu/virt.h"

#define APIC_DEFAULT 0xfee00000u

_Noreturn void main(uint32_t protocol, uint64_t info);

/* What came by the boot loader, in the console's form from its first line on. */
static void loader_read(uint32_t protocol, uint64_t info)
{
    int rc = handoff_collect(protocol, info);

    options_parse(&boot_options, handoff.cmdline, false);
    console_init(boot_options.headless);
    console_log("Bulkhead, started by %s",
                rc < 0 ? "a loader that it does not know" : handoff.protocol);
    CHECK(rc == 0);
    options_parse(&boot_options, handoff.cmdline, true);
}

/* The module becomes the bundle if it can be one. */
static void bundle_take(void)
{
    struct memory_range m = handoff.module;

    if (m.start >= m.end)
        console_log("no bundle: the boot loader must load one module beside the core");
    else if (m.start & PAGE_MASK)
        console_log("no bundle: the module at %lx does not begin at a page", m.start);
    else
        boot_options.bundle = (hpa_t){m.start}, boot_options.bundle_len = m.end - m.start;
}

static void line_route(const struct acpi_line *line, enum irq_kind kind, unsigned entry)
{
    int vector = irq_vector_alloc(kind, 0);

    CHECK(vector > 0);
    ioapic_route(line, iommu_message_make(entry, 0, (unsigned)vector));
}

/* From here on the UART interrupts when bytes come. */
static void lines_route(void)
{
    if (!acpi.ioapic) {
        console_log("no IO-APIC: what is typed does not arrive");
        return;
    }
    ioapic_init(acpi.ioapic);
    line_route(&acpi.uart, IRQ_UART, IOMMU_ENTRY_UART);
    uart_listen(true);
    if (heartbeat_start())
        line_route(&acpi.timer, IRQ_KICK, IOMMU_ENTRY_HEARTBEAT);
}

_Noreturn void main(uint32_t protocol, uint64_t info)
{
    cpu_init(0);
    trap_init();
    uart_init();
    loader_read(protocol, info);
    acpi_init(handoff.rsdp);
    if (memory_init(&handoff) < 0)
        power_off(STATUS_FAILED);
    apic_init(acpi.lapic ? acpi.lapic : APIC_DEFAULT);
    clock_init();
    pci_init();
    iommu_init();
    lines_route();
    if (acpi.cpu_count > 1 && boot_options.cpus != 1)
        console_log("%u CPUs found: one is used, the others are left idle", acpi.cpu_count);
    bundle_take();
    console_log("%lu MiB of RAM, %lu KiB for the core (%lu free), TSC %lu kHz", frame_total() >> 8,
                pool_bytes() >> 10, pool_bytes_free() >> 10, clock_tsc_hz() / 1000);
    if (virt_init() < 0 || hole_init() < 0 || first_create() < 0)
        power_off(STATUS_FAILED);
    sched_loop();
}
