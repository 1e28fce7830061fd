/* Why the guest was left: one table from exit codes to handlers. */
#include "svm/svm.h"

#include "domain/domain.h"
#include "hypercall/call.h"
#include "vcpu/exit.h"

#define EXIT_DR_FIRST  0x20
#define EXIT_DR_LAST   0x3f
#define EXIT_EXCEPTION 0x40
#define EXIT_INTERRUPT 0x60
#define EXIT_CODES     0x90
#define EXIT_NESTED    0x400ull
#define EXIT_INVALID   UINT32_MAX /* in the low half: emulators leave the upper one clear */

/* EXITINFO1 of an I/O instruction and of a nested page fault. */
#define IO_IN         (1u << 0)
#define IO_STRING     (1u << 2)
#define IO_SIZE_SHIFT 4
#define IO_SIZE_MASK  7u
#define IO_PORT_SHIFT 16
#define NESTED_WRITE  (1ull << 1)
#define NESTED_FETCH  (1ull << 4)
#define NESTED_WALK   (1ull << 33)

struct exit_row {
    bool (*handle)(struct vcpu *v); /* true: the instruction is done */
    uint8_t kind;                   /* enum bulkhead_exit */
    uint8_t length; /* of the instruction's plain encoding, where the CPU does not tell */
    /* Without a handler: */
    uint8_t raises;   /* the exception: of instructions that a guest's CPUID does not offer, too */
    const char *ends; /* or why its domain ends */
};

static bool on_msr(struct vcpu *v)
{
    return exit_msr(v, svm_of(v)->vmcb->exit_info1 != 0);
}

static bool on_io(struct vcpu *v)
{
    const struct vmcb *vmcb = svm_of(v)->vmcb;
    uint32_t info = (uint32_t)vmcb->exit_info1;

    if (exit_io(v, (uint16_t)(info >> IO_PORT_SHIFT), info >> IO_SIZE_SHIFT & IO_SIZE_MASK,
                info & IO_IN, info & IO_STRING))
        /* The only exit that tells its next instruction on every CPU. */
        svm_advance(v, (unsigned)(vmcb->exit_info2 - v->regs.rip));
    return false;
}

static bool on_hypercall(struct vcpu *v)
{
    svm_of(v)->vmcb->shadow &= ~SHADOW_INTERRUPT;
    hypercall(v);
    return false; /* it moved RIP itself, or will be called again */
}

/*
 * The exit was for the host's sake: its handler runs now. Where it came between
 * an STI and its HLT, nothing may be delivered before the HLT, or the guest
 * sleeps with the event behind it. QEMU's VMRUN forgets the shadow, so a second
 * exit at the same place is taken for the first.
 */
static bool on_interrupt(struct vcpu *v)
{
    struct svm_vcpu *svm = svm_of(v);
    struct vmcb *vmcb = svm->vmcb;

    if (svm->held && svm->held_rip == v->regs.rip)
        vmcb->shadow |= SHADOW_INTERRUPT;
    svm->held = (vmcb->shadow & SHADOW_INTERRUPT) != 0;
    svm->held_rip = v->regs.rip;
    cpu_take_interrupts();
    return false;
}

/*
 * An NMI was taken by its own handler as soon as GIF was set; where interrupts
 * opened, vcpu_run decides anew what the guest gets.
 */
static bool on_nothing(struct vcpu *)
{
    return false;
}

/*
 * The guest ends its NMI handler. IRET itself runs at the next entry, with
 * interrupts held back, so that the next NMI finds an empty stack.
 */
static bool on_iret(struct vcpu *v)
{
    struct vmcb *vmcb = svm_of(v)->vmcb;

    vmcb->intercept3 &= ~INTERCEPT_IRET;
    vmcb->shadow |= SHADOW_INTERRUPT;
    svm_of(v)->nmi_masked = false;
    return false;
}

/* Caches are coherent and shared with other domains: nothing to do, and above all no INVD. */
static bool on_cache(struct vcpu *)
{
    return true;
}

static const struct exit_row exit_table[EXIT_CODES] = {
    [EXIT_DR_FIRST... EXIT_DR_LAST] = {svm_debug_use, BULKHEAD_EXIT_OTHER, 0},
    [EXIT_EXCEPTION + EXCEPTION_DB] = {.raises = EXCEPTION_DB},
    [EXIT_EXCEPTION + EXCEPTION_AC] = {.raises = EXCEPTION_AC},
    [EXIT_EXCEPTION + EXCEPTION_MC] = {.ends = "machine check while the domain ran"},
    [EXIT_INTERRUPT] = {on_interrupt, BULKHEAD_EXIT_INTERRUPT, 0},
    [0x61] = {on_nothing, BULKHEAD_EXIT_INTERRUPT, 0}, /* NMI */
    [0x64] = {on_nothing, BULKHEAD_EXIT_WINDOW, 0},
    [0x6f] = {.raises = EXCEPTION_GP}, /* RDPMC */
    [0x72] = {exit_cpuid, BULKHEAD_EXIT_CPUID, 2},
    [0x73] = {.raises = EXCEPTION_UD}, /* RSM */
    [0x74] = {on_iret, BULKHEAD_EXIT_OTHER, 0},
    [0x76] = {on_cache, BULKHEAD_EXIT_OTHER, 2}, /* INVD */
    [0x78] = {exit_hlt, BULKHEAD_EXIT_HLT, 1},
    [0x7a] = {.raises = EXCEPTION_UD}, /* INVLPGA */
    [0x7b] = {on_io, BULKHEAD_EXIT_IO, 0},
    [0x7c] = {on_msr, BULKHEAD_EXIT_MSR, 2},
    [0x7f] = {.ends = "triple fault"},
    [0x80] = {.raises = EXCEPTION_UD}, /* VMRUN */
    [0x81] = {on_hypercall, BULKHEAD_EXIT_HYPERCALL, 0},
    [0x82 ... 0x86] = {.raises = EXCEPTION_UD},  /* VMLOAD VMSAVE STGI CLGI SKINIT */
    [0x89] = {on_cache, BULKHEAD_EXIT_OTHER, 2}, /* WBINVD */
    [0x8a ... 0x8c] = {.raises = EXCEPTION_UD},  /* MONITOR, MWAIT */
    [0x8e] = {.raises = EXCEPTION_UD},           /* RDPRU */
};

/*
 * An exit in the middle of an event's delivery: it is delivered again, unless it
 * was a software interrupt, whose instruction simply runs again. Only bit 31
 * says that there is one; the rest of the field may be left from earlier.
 */
static void redeliver(struct vmcb *vmcb)
{
    uint64_t event = vmcb->exit_event;
    unsigned type = (unsigned)(event >> EVENT_TYPE_SHIFT) & EVENT_TYPE_MASK;
    uint8_t vector = (uint8_t)event;

    vmcb->inject = 0;
    if (!(event & EVENT_VALID) || type == EVENT_SOFTWARE)
        return;
    if (type == EVENT_EXCEPTION && (vector == 3 || vector == 4))
        return; /* INT3 and INTO likewise */
    vmcb->inject = event;
}

/* Past an instruction whose length is known; an STI before it no longer holds interrupts back. */
void svm_advance(struct vcpu *v, unsigned length)
{
    v->regs.rip += length;
    svm_of(v)->vmcb->shadow &= ~SHADOW_INTERRUPT;
}

/* An exit without a handler. */
static void refuse(struct vcpu *v, const struct exit_row *row, uint64_t code)
{
    const char *why = (uint32_t)code == EXIT_INVALID ? "state that the CPU refuses"
                      : row->ends                    ? row->ends
                                                     : "unexpected VM exit";

    if (row->raises)
        vcpu_raise(v, row->raises);
    else
        domain_crash(v->domain, "vCPU %u: %s", v->id, why);
}

void svm_exit(struct vcpu *v, struct vmcb *vmcb)
{
    static const struct exit_row unexpected;
    uint64_t code = vmcb->exit_code;
    const struct exit_row *row = code < EXIT_CODES ? &exit_table[code] : &unexpected;

    redeliver(vmcb);
    if (code != EXIT_INTERRUPT)
        svm_of(v)->held = false;
    if (code == EXIT_NESTED) {
        exit_nested(v, (gpa_t){vmcb->exit_info2}, vmcb->exit_info1 & NESTED_WRITE,
                    vmcb->exit_info1 & NESTED_FETCH, vmcb->exit_info1 & NESTED_WALK);
        return;
    }
    v->exits_by[row->kind]++;
    if (!row->handle) {
        refuse(v, row, code);
        return;
    }
    if (row->handle(v))
        svm_advance(v, svm_next_rip ? (unsigned)(vmcb->next_rip - v->regs.rip) : row->length);
}
