/* A vCPU's control block: its first state, and what others ask of it or want in it. */
#include "svm/svm.h"

#include <arch/clock.h>
#include <arch/debug.h>
#include <arch/msr.h>

#include "domain/domain.h"
#include "mm/heap.h"
#include "util/string.h"

#define EFER_SCE   (1ull << 0)
#define EFER_LME   (1ull << 8)
#define EFER_LMA   (1ull << 10)
#define EFER_NXE   (1ull << 11)
#define EFER_FFXSR (1ull << 14)
#define EFER_GUEST (EFER_SCE | EFER_LME | EFER_NXE | EFER_FFXSR)

#define CR0_RESET    0x10ull
#define CR0_PE       0x1ull
#define CR0_PG       (1ull << 31)
#define RFLAGS_RESET 0x2ull
#define DR6_RESET    0xffff0ff0ull
#define DR7_RESET    0x400ull
#define PAT_RESET    0x0007040600070406ull

#define HELD_NS 20000u

/* Exceptions that push an error code: 8, 10 to 14, 17. */
#define WITH_ERROR 0x27d00u

/*
 * What always ends a stay, by bit of the intercepts' words 3 and 4. Not XSETBV:
 * emulators ignore it, and the CPU itself refuses what it does not have. All that
 * XCR0 can enable changes hands at the vCPU switch.
 */
static const uint8_t exits3[] = {0 /* INTR */,         1 /* NMI */,
                                 3 /* INIT */,         15 /* RDPMC */,
                                 18 /* CPUID */,       19 /* RSM */,
                                 22 /* INVD */,        24 /* HLT */,
                                 26 /* INVLPGA */,     27 /* IOIO */,
                                 28 /* MSR */,         29 /* TASK_SWITCH */,
                                 30 /* FERR_FREEZE */, 31 /* SHUTDOWN */};
static const uint8_t exits4[] = {0 /* VMRUN */,  1 /* VMMCALL */,      2 /* VMLOAD */,
                                 3 /* VMSAVE */, 4 /* STGI */,         5 /* CLGI */,
                                 6 /* SKINIT */, 9 /* WBINVD */,       10 /* MONITOR */,
                                 11 /* MWAIT */, 12 /* MWAIT_ARMED */, 14 /* RDPRU */};

static void block_init(struct vmcb *vmcb, const void *nested)
{
    memset(vmcb, 0, sizeof(*vmcb));
    vmcb->intercept_dr = INTERCEPT_DR_ALL;
    /* #DB and #AC can otherwise be made to loop inside the CPU for ever (CVE-2015-8104, -5307). */
    vmcb->intercept_exceptions = 1u << EXCEPTION_DB | 1u << EXCEPTION_AC | 1u << EXCEPTION_MC;
    for (unsigned i = 0; i < sizeof(exits3); i++)
        vmcb->intercept3 |= 1u << exits3[i];
    for (unsigned i = 0; i < sizeof(exits4); i++)
        vmcb->intercept4 |= 1u << exits4[i];
    vmcb->iopm = svm_io_bitmap;
    vmcb->msrpm = svm_msr_bitmap;
    vmcb->vintr = VINTR_MASKING;
    vmcb->nested_control = NESTED_PAGING;
    vmcb->nested_cr3 = pool_address(nested);
    vmcb->efer = EFER_SVME;
    vmcb->dr6 = DR6_RESET;
    vmcb->dr7 = DR7_RESET;
    vmcb->pat = PAT_RESET;
}

static void svm_reset(struct vcpu *v, uint64_t cr0, const struct vmcb_segment *code,
                      const struct vmcb_segment *data)
{
    struct svm_vcpu *svm = svm_of(v);
    struct vmcb *vmcb = svm->vmcb;

    block_init(vmcb, v->domain->p2m.root);
    vmcb->cr0 = cr0;
    vmcb->cs = *code;
    vmcb->ds = vmcb->es = vmcb->ss = vmcb->fs = vmcb->gs = *data;
    vmcb->gdtr.limit = vmcb->idtr.limit = 0xffff;
    vmcb->ldtr = (struct vmcb_segment){.attributes = 0x82, .limit = 0xffff};
    vmcb->tr = (struct vmcb_segment){.attributes = 0x8b, .limit = 0x67};
    svm->asid_generation = 0;
    svm->nmi_masked = false;
    svm->debug_live = false;
    memset(svm->debug, 0, sizeof(svm->debug));
}

static void svm_reset_pvh(struct vcpu *v, uint32_t entry, uint32_t start_info)
{
    static const struct vmcb_segment code = {0x8, 0xc9b, UINT32_MAX, 0};
    static const struct vmcb_segment data = {0x10, 0xc93, UINT32_MAX, 0};

    svm_reset(v, CR0_RESET | CR0_PE, &code, &data);
    v->regs = (struct regs){.rbx = start_info, .rip = entry, .rflags = RFLAGS_RESET};
}

static void svm_reset_sipi(struct vcpu *v, uint8_t vector)
{
    const struct vmcb_segment code = {(uint16_t)(vector << 8), 0x9b, 0xffff,
                                      (uint64_t)vector << 12};
    static const struct vmcb_segment data = {0, 0x93, 0xffff, 0};

    svm_reset(v, CR0_RESET, &code, &data);
    v->regs = (struct regs){.rflags = RFLAGS_RESET};
}

static void svm_mode(const struct vcpu *v, struct vcpu_mode *mode)
{
    const struct vmcb *vmcb = svm_of(v)->vmcb;
    bool is_long = (vmcb->efer & EFER_LMA) != 0 && (vmcb->cs.attributes & SEGMENT_LONG) != 0;

    *mode = (struct vcpu_mode){
        .cr0 = vmcb->cr0,
        .cr3 = vmcb->cr3,
        .cr4 = vmcb->cr4,
        .efer = vmcb->efer & ~EFER_SVME,
        .cpl = vmcb->cpl,
        .cs_long = is_long,
        .cs_big = (vmcb->cs.attributes & SEGMENT_BIG) != 0,
        .cs_base = is_long ? 0 : vmcb->cs.base,
    };
}

static bool svm_can_nmi(const struct vcpu *v)
{
    const struct svm_vcpu *svm = svm_of(v);

    return !svm->nmi_masked && !(svm->vmcb->shadow & SHADOW_INTERRUPT) &&
           !(svm->vmcb->inject & EVENT_VALID);
}

static void svm_inject(struct vcpu *v, uint8_t vector)
{
    struct svm_vcpu *svm = svm_of(v);
    uint64_t type = EVENT_EXCEPTION;

    if (vector == VECTOR_NMI) {
        type = EVENT_NMI;
        svm->nmi_masked = true;
        svm->vmcb->intercept3 |= INTERCEPT_IRET;
    }
    svm->vmcb->inject = EVENT_VALID | type << EVENT_TYPE_SHIFT | vector |
                        (WITH_ERROR >> vector & 1 ? EVENT_HAS_ERROR : 0);
}

/* A virtual interrupt (APM volume 2, 15.21.4): delivered as soon as its priority allows. */
static void vintr_set(struct vmcb *vmcb, uint8_t vector, unsigned priority)
{
    uint64_t rule = priority == VIRT_ANY ? VINTR_PRIORITY | VINTR_IGNORE_TPR
                                         : (uint64_t)priority << VINTR_PRIORITY_SHIFT;

    vmcb->vintr |= VINTR_IRQ | rule | (uint64_t)vector << VINTR_VECTOR_SHIFT;
}

static void svm_offer(struct vcpu *v, uint8_t vector, unsigned priority)
{
    struct svm_vcpu *svm = svm_of(v);

    /* It would come too early (see on_interrupt): the host's timer asks again soon. */
    if (svm->held) {
        clock_timer_arm(clock_now() + HELD_NS);
        return;
    }
    vintr_set(svm->vmcb, vector, priority);
    svm->offered = true;
}

/* One that is never delivered: the exit just before it says that one could be. */
static void svm_want_window(struct vcpu *v, unsigned priority)
{
    if (priority == 0)
        return;
    vintr_set(svm_of(v)->vmcb, 0, priority);
    svm_of(v)->vmcb->intercept3 |= INTERCEPT_VINTR;
}

/* After an exit: the next entry decides anew. */
void svm_withdraw(struct vcpu *v)
{
    struct svm_vcpu *svm = svm_of(v);
    struct vmcb *vmcb = svm->vmcb;
    bool begun = (vmcb->exit_event & EVENT_VALID) &&
                 (vmcb->exit_event >> EVENT_TYPE_SHIFT & EVENT_TYPE_MASK) == EVENT_INTERRUPT;

    if (svm->offered && (begun || !(vmcb->vintr & VINTR_IRQ)))
        vcpu_taken(v);
    svm->offered = false;
    vmcb->vintr &= VINTR_TPR | VINTR_MASKING;
    vmcb->intercept3 &= ~INTERCEPT_VINTR;
}

static bool svm_msr_read(struct vcpu *v, uint32_t index, uint64_t *value)
{
    const struct vmcb *vmcb = svm_of(v)->vmcb;

    switch (index) {
    case MSR_EFER: *value = vmcb->efer & ~EFER_SVME; return true;
    case MSR_PAT: *value = vmcb->pat; return true;
    default: return false;
    }
}

static bool efer_write(struct vmcb *vmcb, uint64_t value)
{
    if (value & ~(EFER_GUEST | EFER_LMA))
        return false;
    if ((vmcb->cr0 & CR0_PG) && ((value ^ vmcb->efer) & EFER_LME))
        return false;
    vmcb->efer = (value & EFER_GUEST) | (vmcb->efer & EFER_LMA) | EFER_SVME;
    return true;
}

static bool pat_write(struct vmcb *vmcb, uint64_t value)
{
    for (unsigned i = 0; i < 64; i += 8) {
        uint8_t type = (uint8_t)(value >> i);

        if (type > 7 || type == 2 || type == 3)
            return false;
    }
    vmcb->pat = value;
    return true;
}

static bool svm_msr_write(struct vcpu *v, uint32_t index, uint64_t value)
{
    switch (index) {
    case MSR_EFER: return efer_write(svm_of(v)->vmcb, value);
    case MSR_PAT: return pat_write(svm_of(v)->vmcb, value);
    default: return false;
    }
}

bool svm_debug_use(struct vcpu *v)
{
    struct svm_vcpu *svm = svm_of(v);

    debug_write(svm->debug);
    svm->debug_live = true;
    svm->vmcb->intercept_dr = 0;
    return false;
}

static void svm_switch_out(struct vcpu *v)
{
    static const uint64_t none[4];
    struct svm_vcpu *svm = svm_of(v);

    if (!svm->debug_live)
        return;
    debug_read(svm->debug);
    debug_write(none);
    svm->debug_live = false;
    svm->vmcb->intercept_dr = INTERCEPT_DR_ALL;
}

static void svm_dump(const struct vcpu *v)
{
    const struct vmcb *b = svm_of(v)->vmcb;

    console_log("  exit %lx info %lx %lx event %lx inject %lx vintr %lx", b->exit_code,
                b->exit_info1, b->exit_info2, b->exit_event, b->inject, b->vintr);
    console_log("  cr0 %lx cr2 %lx cr3 %lx cr4 %lx efer %lx", b->cr0, b->cr2, b->cr3, b->cr4,
                b->efer);
    console_log("  cs %x %x %lx ss %x ds %x fs %lx gs %lx cpl %u", b->cs.selector, b->cs.attributes,
                b->cs.base, b->ss.selector, b->ds.selector, b->fs.base, b->gs.base, b->cpl);
}

const struct virt_ops svm_ops = {
    .name = "SVM",
    .cpu_enable = svm_cpu_enable,
    .vcpu_init = svm_vcpu_init,
    .vcpu_fini = svm_vcpu_fini,
    .reset_pvh = svm_reset_pvh,
    .reset_sipi = svm_reset_sipi,
    .run = svm_run,
    .mode = svm_mode,
    .advance = svm_advance,
    .can_nmi = svm_can_nmi,
    .inject = svm_inject,
    .offer = svm_offer,
    .want_window = svm_want_window,
    .msr_read = svm_msr_read,
    .msr_write = svm_msr_write,
    .switch_out = svm_switch_out,
    .dump = svm_dump,
    .nested_leaf = svm_nested_leaf,
    .nested_table = svm_nested_table,
};
