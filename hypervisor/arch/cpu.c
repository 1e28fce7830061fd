/* Per-CPU data, segments, control registers; waiting and kicking. */
#include <arch/cpu.h>

#include <arch/apic.h>
#include <arch/msr.h>
#include <arch/trap.h>
#include <arch/vectors.h>

#include "util/check.h"

#define STACK_SIZE 4096u

#define CR0_BITS 0x80010033ull /* PG, WP, NE, ET, MP, PE */

#define CR4_DE         (1u << 3)
#define CR4_PSE        (1u << 4)
#define CR4_PAE        (1u << 5)
#define CR4_MCE        (1u << 6)
#define CR4_PGE        (1u << 7)
#define CR4_OSFXSR     (1u << 9)
#define CR4_OSXMMEXCPT (1u << 10)
#define CR4_UMIP       (1u << 11)
#define CR4_OSXSAVE    (1u << 18)
#define CR4_SMEP       (1u << 20)
#define CR4_SMAP       (1u << 21)

struct task_state {
    uint32_t reserved0;
    uint64_t rsp[3];
    uint64_t reserved1;
    uint64_t ist[7];
    uint64_t reserved2;
    uint16_t reserved3, io_map;
} __attribute__((packed));
_Static_assert(sizeof(struct task_state) == 104, "task state segment");

/* What the CPU itself refers to; one for each CPU that runs. */
struct cpu_tables {
    uint64_t gdt[5]; /* null, code 0x08, data 0x10, task state 0x18 in two */
    struct task_state tss;
    uint8_t stack[TRAP_IST_COUNT][STACK_SIZE] __attribute__((aligned(16)));
};

static struct cpu cpus[CPU_MAX];
static struct cpu_tables boot_tables; /* CPU 0's */
static unsigned count = 1;

struct cpu *cpu_by_id(unsigned id)
{
    CHECK(id < count);
    return &cpus[id];
}

unsigned cpu_count(void)
{
    return count;
}

struct cpuid cpu_cpuid(uint32_t leaf, uint32_t subleaf)
{
    struct cpuid r;

    __asm__ volatile("cpuid"
                     : "=a"(r.eax), "=b"(r.ebx), "=c"(r.ecx), "=d"(r.edx)
                     : "a"(leaf), "c"(subleaf));
    return r;
}

static void segments_load(struct cpu_tables *t)
{
    uint64_t base = (uintptr_t)&t->tss;
    const struct {
        uint16_t limit;
        const uint64_t *base;
    } __attribute__((packed)) pointer = {sizeof(t->gdt) - 1, t->gdt};

    t->gdt[1] = 0x00af9b000000ffff;
    t->gdt[2] = 0x00cf93000000ffff;
    t->gdt[3] = 0x0000890000000000 | (sizeof(t->tss) - 1) | (base & 0xffffff) << 16 |
                (base >> 24 & 0xff) << 56;
    t->gdt[4] = base >> 32;
    t->tss.io_map = sizeof(t->tss);
    for (unsigned i = 0; i < TRAP_IST_COUNT; i++)
        t->tss.ist[i] = (uintptr_t)t->stack[i] + STACK_SIZE;
    __asm__ volatile("lgdt %0\n\t"
                     "ltr %w1\n\t"
                     "pushq $8\n\t"
                     "leaq 1f(%%rip), %%rax\n\t"
                     "pushq %%rax\n\t"
                     "lretq\n"
                     "1:\tmovl %k2, %%ds\n\t"
                     "movl %k2, %%es\n\t"
                     "movl %k2, %%ss"
                     :
                     : "m"(pointer), "r"(0x18), "r"(0x10)
                     : "rax", "memory");
}

static void control_load(void)
{
    struct cpuid structured = cpu_cpuid(0, 0).eax < 7 ? (struct cpuid){0} : cpu_cpuid(7, 0);
    /* PSE means nothing here; but guests set it, and QEMU flushes more where the two differ. */
    uint64_t cr4 = CR4_DE | CR4_PSE | CR4_PAE | CR4_MCE | CR4_PGE | CR4_OSFXSR | CR4_OSXMMEXCPT;

    if (cpu_cpuid(1, 0).ecx & 1u << 26)
        cr4 |= CR4_OSXSAVE;
    if (structured.ebx & 1u << 7)
        cr4 |= CR4_SMEP;
    if (structured.ebx & 1u << 20)
        cr4 |= CR4_SMAP;
    if (structured.ecx & 1u << 2)
        cr4 |= CR4_UMIP;
    __asm__ volatile("movq %0, %%cr0" : : "r"(CR0_BITS));
    __asm__ volatile("movq %0, %%cr4" : : "r"(cr4) : "memory");
}

void cpu_init(unsigned id)
{
    struct cpu *cpu = &cpus[id];

    CHECK(id == 0); /* the others are not started yet */
    cpu->self = cpu;
    cpu->id = id;
    segments_load(&boot_tables);
    control_load();
    msr_write(MSR_FS_BASE, 0);
    msr_write(MSR_GS_BASE, (uintptr_t)cpu);
}

void cpu_kick(unsigned id)
{
    if (id != cpu_this()->id)
        apic_send(cpu_by_id(id)->apic_id, VECTOR_KICK);
}

/* STI takes effect after the next instruction, so no interrupt slips in before the halt. */
void cpu_idle_halt(void)
{
    __asm__ volatile("sti; hlt; cli" : : : "memory");
}

void cpu_take_interrupts(void)
{
    __asm__ volatile("sti; nop; cli" : : : "memory");
}

unsigned cpu_physical_bits(void)
{
    static unsigned bits;

    if (!bits) {
        bits = cpu_cpuid(0x80000008, 0).eax & 0xff;
        bits = bits > 48 ? 48 : bits < 36 ? 36 : bits;
    }
    return bits;
}

_Noreturn void cpu_stop(void)
{
    for (;;)
        __asm__ volatile("cli; hlt" : : : "memory");
}
