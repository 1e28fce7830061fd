/* Exceptions: each of the core's own stops the machine, but for an NMI. */
#include <arch/trap.h>

#include <arch/cpu.h>
#include <arch/image.h>
#include <arch/irq.h>
#include <arch/power.h>

#include "console/console.h"

#define VECTOR_NMI      2u
#define VECTOR_DOUBLE   8u
#define VECTOR_CHECK    18u
#define VECTOR_EXTERNAL 32u
#define STUB_SIZE       16u
#define GATE_INTERRUPT  0x8e
#define TRACE_DEPTH     12u

struct gate {
    uint16_t offset0, selector;
    uint8_t ist, type;
    uint16_t offset1;
    uint32_t offset2, reserved;
};
_Static_assert(sizeof(struct gate) == 16, "gate");

extern const char trap_stubs[];
void trap_handle(struct trap_frame *f);

static struct gate idt[256];

void trap_init(void)
{
    static const uint8_t ist[256] = {
        [VECTOR_NMI] = TRAP_IST_NMI,
        [VECTOR_DOUBLE] = TRAP_IST_DOUBLE,
        [VECTOR_CHECK] = TRAP_IST_CHECK,
    };
    const struct {
        uint16_t limit;
        const struct gate *base;
    } __attribute__((packed)) pointer = {sizeof(idt) - 1, idt};

    for (unsigned v = 0; v < 256; v++) {
        uint64_t stub = (uintptr_t)trap_stubs + (uint64_t)v * STUB_SIZE;
        idt[v] = (struct gate){.offset0 = (uint16_t)stub,
                               .offset1 = (uint16_t)(stub >> 16),
                               .offset2 = (uint32_t)(stub >> 32),
                               .selector = 8,
                               .ist = ist[v],
                               .type = GATE_INTERRUPT};
    }
    __asm__ volatile("lidt %0" : : "m"(pointer));
}

/* Words on the stack that point into the text: near enough to a trace of calls. */
static void trace(const struct trap_frame *f)
{
    const uint64_t *p = (const uint64_t *)f->rsp; /* NOLINT(performance-no-int-to-ptr) */
    unsigned found = 0;

    if ((f->rsp & 7) != 0 || f->rsp < (uintptr_t)image_data || f->rsp >= (uintptr_t)image_end)
        return;
    for (; (uintptr_t)p < (f->rsp | 4095) && found < TRACE_DEPTH; p++)
        if (*p >= (uintptr_t)image_text && *p < (uintptr_t)image_rodata) {
            console_panic("  called from %lx", *p);
            found++;
        }
}

static _Noreturn void die(const struct trap_frame *f)
{
    uint64_t address;

    __asm__ volatile("movq %%cr2, %0" : "=r"(address));
    console_panic("panic: exception %lu error %lx at %lx, address %lx, cpu %u", f->vector, f->error,
                  f->rip, address, cpu_this()->id);
    console_panic("  rax %016lx rbx %016lx rcx %016lx rdx %016lx", f->rax, f->rbx, f->rcx, f->rdx);
    console_panic("  rsi %016lx rdi %016lx rbp %016lx rsp %016lx", f->rsi, f->rdi, f->rbp, f->rsp);
    console_panic("  r8  %016lx r9  %016lx r10 %016lx r11 %016lx", f->r8, f->r9, f->r10, f->r11);
    console_panic("  r12 %016lx r13 %016lx r14 %016lx r15 %016lx", f->r12, f->r13, f->r14, f->r15);
    trace(f);
    power_off(STATUS_PANIC);
}

void trap_handle(struct trap_frame *f)
{
    if (f->vector >= VECTOR_EXTERNAL) {
        irq_handle((unsigned)f->vector);
        return;
    }
    if (f->vector == VECTOR_NMI) {
        console_panic("NMI at %lx: ignored", f->rip);
        return;
    }
    die(f);
}
