/* What the guest is: version, features, parameters, CPUID, MSRs, its local APIC. */
#include "call.h"
#include "check.h"
#include "cpu.h"
#include "event.h"
#include "param.h"
#include "result.h"
#include "start.h"
#include "trap.h"

#include <abi/version.h>

#define APIC_BASE   0x1bu
#define APIC_EXTD   (1u << 10)
#define X2APIC_ID   0x802u
#define X2APIC_VER  0x803u
#define X2APIC_SVR  0x80fu
#define X2APIC_ICR  0x830u
#define X2APIC_EOI  0x80bu
#define NO_SUCH_MSR 0xdead0000u
#define VECTOR      0x55u

TEST(version_and_features)
{
    struct xen_feature_info features = {.submap_idx = 0};
    xen_capabilities_info_t text;

    EXPECT(call_version(XENVER_version, NULL) == (4 << 16 | 17));
    EXPECT(call_version(XENVER_get_features, &features) == 0);
    EXPECT(features.submap & 1u << XENFEAT_auto_translated_physmap);
    EXPECT(features.submap & 1u << XENFEAT_hvm_callback_vector);
    EXPECT(features.submap & 1u << XENFEAT_hvm_safe_pvclock);
    EXPECT(!(features.submap & 1u << XENFEAT_hvm_pirqs));
    features.submap_idx = 77;
    EXPECT(call_version(XENVER_get_features, &features) == -XEN_EINVAL);
    EXPECT(call_version(XENVER_pagesize, NULL) == 4096);
    EXPECT(call_version(XENVER_capabilities, &text) == 0 && text[0] == 'h');
    EXPECT(call_version(XENVER_extraversion, (void *)0xffff800000000000ul) == -XEN_EFAULT);
    EXPECT(call_version(XENVER_commandline, &text) == -XEN_ENOSYS);
}

TEST(both_ways_into_the_hypervisor)
{
    struct call call = {__HYPERVISOR_xen_version, {XENVER_version}};

    EXPECT(call_page(&call) == call_trap(&call));
    call.number = 1000;
    EXPECT(call_trap(&call) == -XEN_ENOSYS);
    call.number = UINT32_MAX;
    EXPECT(call_trap(&call) == -XEN_ENOSYS);
}

TEST(parameters)
{
    uint64_t value;

    EXPECT(param_get(HVM_PARAM_STORE_PFN, &value) == 0 && value != 0);
    EXPECT(param_get(HVM_PARAM_STORE_EVTCHN, &value) == 0 && value != 0);
    EXPECT(param_get(HVM_PARAM_CONSOLE_PFN, &value) == 0 && value != 0);
    EXPECT(param_get(HVM_PARAM_CONSOLE_EVTCHN, &value) == 0 && value != 0);
    EXPECT(param_set(HVM_PARAM_STORE_PFN, 1) == -XEN_EPERM);
    EXPECT(param_set(HVM_PARAM_CONSOLE_EVTCHN, 1) == -XEN_EPERM);
    EXPECT(param_get(1000, &value) == -XEN_EINVAL);
    EXPECT(param_set(HVM_PARAM_CALLBACK_IRQ, 2ull << 56 | 3) == -XEN_EINVAL);
    EXPECT(param_set(HVM_PARAM_CALLBACK_IRQ, 7ull << 56) == -XEN_EINVAL);
}

TEST(cpuid_hides_what_is_ours)
{
    struct cpu_regs leaf = cpu_id(1, 0);

    EXPECT(leaf.ecx & 1u << 31);                    /* a hypervisor is there */
    EXPECT(leaf.ecx & 1u << 21);                    /* x2APIC, whatever the host has */
    EXPECT(!(leaf.ecx & 1u << 3));                  /* MONITOR */
    EXPECT(!(leaf.ecx & 1u << 5));                  /* VMX */
    EXPECT(!(cpu_id(0x80000001, 0).ecx & 1u << 2)); /* SVM */
    EXPECT(cpu_id(0x8000000a, 0).eax == 0);
    EXPECT(cpu_id(call_leaf() + 4, 0).ecx == start_self());
}

static void read_unknown(void)
{
    (void)cpu_msr_read(NO_SUCH_MSR);
}

static void write_unknown(void)
{
    cpu_msr_write(NO_SUCH_MSR, 1);
}

static void write_vm_hsave(void)
{
    cpu_msr_write(0xc0010117, 0x1000);
}

static void run_vmrun(void)
{
    __asm__ volatile("vmrun" : : "a"(0ul) : "memory");
}

static void run_skinit(void)
{
    __asm__ volatile("skinit" : : "a"(0) : "memory");
}

static void run_monitor(void)
{
    __asm__ volatile("monitor" : : "a"(0ul), "c"(0), "d"(0) : "memory");
}

TEST(what_is_not_there_faults)
{
    struct trap trap = {0};

    EXPECT(trap_catch(read_unknown, &trap) && trap.vector == TRAP_PROTECTION);
    EXPECT(trap_catch(write_unknown, &trap) && trap.vector == TRAP_PROTECTION);
    EXPECT(trap_catch(write_vm_hsave, &trap) && trap.vector == TRAP_PROTECTION);
    EXPECT(trap_catch(run_vmrun, &trap) && trap.vector == TRAP_UNDEFINED);
    EXPECT(trap_catch(run_skinit, &trap) && trap.vector == TRAP_UNDEFINED);
    EXPECT(trap_catch(run_monitor, &trap) && trap.vector == TRAP_UNDEFINED);
}

TEST(the_apic_starts_in_x2apic_mode)
{
    EXPECT(cpu_msr_read(APIC_BASE) & APIC_EXTD);
    EXPECT(cpu_msr_read(X2APIC_ID) == cpu_id(0xb, 0).edx);
    EXPECT((cpu_msr_read(X2APIC_VER) & 0xff) >= 0x10);
}

static volatile unsigned self_interrupts;

/* An interrupt routine in C is enough here: it saves what it uses. */
__attribute__((interrupt)) static void self_interrupt(void *frame)
{
    (void)frame;
    self_interrupts = self_interrupts + 1;
    cpu_msr_write(X2APIC_EOI, 0);
}

TEST(an_interrupt_to_oneself)
{
    trap_set_gate(VECTOR, (void (*)(void))(uintptr_t)self_interrupt);
    cpu_msr_write(X2APIC_SVR, 0x1ff);
    for (unsigned i = 1; i <= 3; i++) {
        cpu_msr_write(X2APIC_ICR, 1u << 18 | VECTOR); /* shorthand: self */
        cpu_irq_on();
        while (self_interrupts != i)
            cpu_barrier();
        cpu_irq_off();
    }
    EXPECT(self_interrupts == 3);
    trap_set_gate(VECTOR, NULL);
}

TEST(ports_with_nothing_behind_read_ones)
{
    uint8_t byte;
    uint32_t word;

    __asm__ volatile("inb $0x60, %0" : "=a"(byte));
    EXPECT(byte == 0xff);
    __asm__ volatile("inl %w1, %0" : "=a"(word) : "d"(0x1234));
    EXPECT(word == 0xffffffffu);
    __asm__ volatile("outb %0, $0x80" : : "a"((uint8_t)1));
}

TEST(the_legacy_hole_is_ram_and_the_rest_is_nothing)
{
    volatile uint32_t *bios = (volatile uint32_t *)0xf0000ul;
    volatile uint32_t *nothing = (volatile uint32_t *)0x9ffff000ul;

    EXPECT(*bios != 0xffffffffu);
    EXPECT(*nothing == 0xffffffffu);
    *nothing = 5;
    EXPECT(*nothing == 5 || *nothing == 0xffffffffu);
}
