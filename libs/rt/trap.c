/* Descriptor tables, and the end of a domain that makes an exception. */
#include <abi/xen.h>

#include "cpu.h"
#include "internal.h"
#include "layout.h"

#include <xen/sched.h>

extern uint64_t boot_gdt[];
extern char trap_exceptions[], floor_entry[];

/* In the order that trap.S pushes them, from the lowest address. */
struct trap_frame {
    uint64_t r15, r14, r13, r12, r11, r10, r9, r8;
    uint64_t rbp, rdi, rsi, rdx, rcx, rbx, rax;
    uint64_t vector, error, rip, cs, rflags, rsp, ss;
};
_Static_assert(sizeof(struct trap_frame) == 22 * sizeof(uint64_t), "exception frame");

_Noreturn void trap_fatal(const struct trap_frame *f);

struct gate {
    uint64_t low;
    uint64_t high;
};

/* 64-bit task state: only the interrupt stacks matter. */
struct task_state {
    uint32_t reserved;
    uint32_t words[25];
};
_Static_assert(sizeof(struct task_state) == 104, "task state");

enum {
    IST_TRAP = 1,
    IST_DOUBLE = 2,
    IST_OFFSET = 36, /* of IST1 in the task state */
    STUB_LEN = 16,   /* of trap.S's entries */
    VECTOR_NMI = 2,
    VECTOR_DOUBLE_FAULT = 8,
    VECTOR_MACHINE_CHECK = 18,
    VECTOR_PAGE_FAULT = 14,
};

/* Exceptions only: interrupts stay off. */
static struct gate gates[32] __attribute__((aligned(16)));
static struct task_state task;

static void set_gate(unsigned vector, const char *handler, unsigned ist)
{
    uint64_t a = (uint64_t)(uintptr_t)handler;

    /* An interrupt gate, privilege 0, present. */
    gates[vector].low = (a & 0xffff) | CPU_CODE << 16 | (uint64_t)ist << 32 | 0x8eull << 40 |
                        (a >> 16 & 0xffff) << 48;
    gates[vector].high = a >> 32;
}

/* The n-th of trap.S's entries. */
static const char *stub(const char *first, size_t n)
{
    return first + n * STUB_LEN;
}

static void set_stack(unsigned ist, const char *top)
{
    uint64_t a = (uint64_t)(uintptr_t)top;
    size_t word = IST_OFFSET / 4 + (ist - 1) * 2 - 1;

    task.words[word] = (uint32_t)a;
    task.words[word + 1] = (uint32_t)(a >> 32);
}

static void load_tables(void)
{
    uint64_t base = (uint64_t)(uintptr_t)&task;
    struct __attribute__((packed)) {
        uint16_t limit;
        uint64_t base;
    } idt = {sizeof(gates) - 1, (uint64_t)(uintptr_t)gates};

    boot_gdt[CPU_TSS / 8] =
        (sizeof(task) - 1) | (base & 0xffffff) << 16 | 0x89ull << 40 | (base >> 24 & 0xff) << 56;
    boot_gdt[CPU_TSS / 8 + 1] = base >> 32;
    __asm__ volatile("lidt %0" : : "m"(idt));
    __asm__ volatile("ltr %w0" : : "r"(CPU_TSS));
}

void trap_init(void)
{
    for (unsigned v = 0; v < 32; v++)
        set_gate(v, stub(trap_exceptions, v), IST_TRAP);
    /* These may come in the middle of another exception. */
    set_gate(VECTOR_NMI, stub(trap_exceptions, VECTOR_NMI), IST_DOUBLE);
    set_gate(VECTOR_DOUBLE_FAULT, stub(trap_exceptions, VECTOR_DOUBLE_FAULT), IST_DOUBLE);
    set_gate(VECTOR_MACHINE_CHECK, stub(trap_exceptions, VECTOR_MACHINE_CHECK), IST_DOUBLE);
    set_stack(IST_TRAP, trap_stack_top);
    set_stack(IST_DOUBLE, double_stack_top);
    load_tables();

    /* SYSCALL stays in this ring: its code selector, the stack's behind it; IF, DF, TF, AC off. */
    msr_write(MSR_STAR, (uint64_t)CPU_CODE << 32);
    msr_write(MSR_LSTAR, (uint64_t)(uintptr_t)floor_entry);
    msr_write(MSR_SYSCALL_MASK, 0x40700);
}

static void print(const char *name, uint64_t v)
{
    console_text(name);
    console_hex(v, 16);
}

static void print_registers(const struct trap_frame *f)
{
    const struct {
        const char *name;
        uint64_t v;
    } words[] = {
        {" rax ", f->rax}, {" rbx ", f->rbx}, {" rcx ", f->rcx}, {" rdx ", f->rdx},
        {" rsi ", f->rsi}, {" rdi ", f->rdi}, {" rbp ", f->rbp}, {" rsp ", f->rsp},
        {" r8  ", f->r8},  {" r9  ", f->r9},  {" r10 ", f->r10}, {" r11 ", f->r11},
        {" r12 ", f->r12}, {" r13 ", f->r13}, {" r14 ", f->r14}, {" r15 ", f->r15},
    };

    for (unsigned i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        print(words[i].name, words[i].v);
        if (i % 4 == 3)
            console_text("\n");
    }
}

static const char *page_fault_kind(uint64_t address)
{
    uint64_t guard = (uint64_t)(uintptr_t)main_guard;

    if (address < PAGE_SIZE)
        return " (a null pointer)";
    if (address >= guard && address < guard + PAGE_SIZE)
        return " (the main stack is full)";
    return "";
}

static bool record(const struct trap_frame *f)
{
    const uint64_t registers[LIFE_REGISTERS] = {
        f->rax, f->rdx, f->rcx, f->rbx, f->rsi, f->rdi, f->rbp, f->rsp, f->r8,
        f->r9,  f->r10, f->r11, f->r12, f->r13, f->r14, f->r15, f->rip,
    };

    return life_exception((uint32_t)f->vector, f->error, f->rflags, registers);
}

void trap_fatal(const struct trap_frame *f)
{
    static bool dying;

    if (dying)
        die_shutdown(SHUTDOWN_crash);
    dying = true;
    console_flush();

    bool recorded = record(f);

    console_text("exception ");
    console_hex(f->vector, 2);
    console_text(" error ");
    console_hex(f->error, 4);
    print(" rip ", f->rip);
    print(" flags ", f->rflags);
    if (f->vector == VECTOR_PAGE_FAULT) {
        print(" address ", cr2_read());
        console_text(page_fault_kind(cr2_read()));
    }
    console_text("\n");
    /* Whom it served waits: what is on record is shown by whoever asks for it. */
    if (!recorded)
        print_registers(f);
    die_shutdown(SHUTDOWN_crash);
}
