/* AMD's SVM: enabling it, control blocks, and the stay in the guest. */
#include "svm/svm.h"

#include <arch/fpu.h>
#include <arch/msr.h>

#include "domain/domain.h"
#include "mm/heap.h"
#include "util/string.h"

#define MSR_VM_CR       0xc0010114u
#define MSR_VM_HSAVE_PA 0xc0010117u

#define VM_CR_SVMDIS (1ull << 4)

#define CPUID_SVM         0x8000000au
#define SVM_NESTED_PAGING (1u << 0)
#define SVM_NEXT_RIP      (1u << 3)

/* What run.S relies on. */
_Static_assert(offsetof(struct vcpu, regs) == 0 && offsetof(struct regs, rbx) == 0 &&
                   offsetof(struct regs, rbp) == 4 * 8 && offsetof(struct regs, r8) == 5 * 8 &&
                   offsetof(struct regs, r15) == 12 * 8 && offsetof(struct regs, rdi) == 13 * 8,
               "registers come first, in this order");

/* A vCPU's own page, and its control block in the next. */
#define PAGES_ORDER 1u
_Static_assert(sizeof(struct svm_vcpu) <= PAGE_SIZE, "what a vCPU has beside its control block");

/* Per CPU: where the host's state lies, and which ASIDs are in use. */
struct svm_cpu {
    uint64_t host_block;
    uint64_t asid_generation; /* a vCPU's ASID is good in the generation it was given in */
    uint32_t asid_next;
    uint32_t asid_limit;
};

static struct svm_cpu svm_cpus[CPU_MAX];
uint64_t svm_io_bitmap, svm_msr_bitmap;
bool svm_next_rip;

/* MSRs that a guest may reach without an exit: VMSAVE (or the vCPU switch) carries them. */
static const uint32_t open_msrs[] = {
    0x174,      0x175,      0x176,                  /* SYSENTER */
    0xc0000081, 0xc0000082, 0xc0000083, 0xc0000084, /* STAR, LSTAR, CSTAR, SFMASK */
    0xc0000100, 0xc0000101, 0xc0000102,             /* FS, GS, KERNEL_GS */
    0xc0000103,                                     /* TSC_AUX */
};

static void msr_bitmap_open(uint8_t *bitmap, uint32_t index)
{
    /* Three areas of 2 KiB, two bits per MSR: from 0, from 0xc0000000, from 0xc0010000. */
    uint32_t area = index < 0x2000 ? 0 : (index < 0xc0010000u ? 1 : 2);
    uint32_t bit = (index & 0x1fff) * 2;

    bitmap[area * 0x800 + bit / 8] &= (uint8_t) ~(3u << (bit % 8));
}

static int bitmaps_create(void)
{
    uint8_t *io = pool_alloc(2), *msr = pool_alloc(1);

    if (!io || !msr)
        return -XEN_ENOMEM; /* at boot: nobody goes on without */
    memset(io, 0xff, (size_t)4 * PAGE_SIZE);
    memset(msr, 0xff, (size_t)2 * PAGE_SIZE);
    for (size_t i = 0; i < sizeof(open_msrs) / sizeof(open_msrs[0]); i++)
        msr_bitmap_open(msr, open_msrs[i]);
    svm_io_bitmap = pool_address(io);
    svm_msr_bitmap = pool_address(msr);
    return 0;
}

int svm_cpu_enable(void)
{
    struct svm_cpu *cpu = &svm_cpus[cpu_this()->id];
    struct cpuid leaf = cpu_cpuid(CPUID_SVM, 0);
    const char *why =
        msr_read(MSR_VM_CR) & VM_CR_SVMDIS ? "SVM is switched off by the firmware (VM_CR.SVMDIS)"
        : !(leaf.edx & SVM_NESTED_PAGING) || leaf.ebx < 2 ? "SVM without nested paging"
        : fpu_cpu_enable() != 0                           ? "no XSAVE"
                                                          : NULL;

    if (why) {
        console_log("CPU %u: %s", cpu_this()->id, why);
        return -XEN_ENODEV;
    }
    svm_next_rip = (leaf.edx & SVM_NEXT_RIP) != 0;
    if (svm_io_bitmap == 0 && bitmaps_create() != 0)
        return -XEN_ENOMEM;

    void *save = pool_alloc(0), *host = pool_alloc(0);

    if (!save || !host)
        return -XEN_ENOMEM;
    msr_write(MSR_EFER, msr_read(MSR_EFER) | EFER_SVME);
    msr_write(MSR_VM_HSAVE_PA, pool_address(save));
    cpu->host_block = pool_address(host);
    cpu->asid_generation = 1;
    cpu->asid_next = 1;
    cpu->asid_limit = leaf.ebx;
    svm_vmsave(cpu->host_block);
    return 0;
}

int svm_vcpu_init(struct vcpu *v)
{
    struct svm_vcpu *svm = v->virt = pool_alloc(PAGES_ORDER);

    if (!svm)
        return -XEN_ENOMEM;
    svm->vmcb = (struct vmcb *)(void *)((char *)svm + PAGE_SIZE);
    svm->block = mfn_hpa(pool_mfn(svm->vmcb));
    return 0;
}

void svm_vcpu_fini(struct vcpu *v)
{
    pool_free(v->virt, PAGES_ORDER);
}

/* All vCPUs of the domain that ran here get new ASIDs: what was translated under the old is dead.
 */
static void flush_taken(struct vcpu *v, unsigned cpu)
{
    struct domain *d = v->domain;

    for (unsigned i = 0; i < d->vcpu_count; i++) {
        struct svm_vcpu *other = svm_of(d->vcpu[i]);

        if (other->asid_cpu == cpu)
            other->asid_generation = 0;
    }
}

static void asid_assign(struct svm_vcpu *svm, struct svm_cpu *cpu, unsigned id)
{
    if (cpu->asid_next == cpu->asid_limit) {
        cpu->asid_generation++;
        cpu->asid_next = 1;
    }
    svm->asid_cpu = id;
    svm->asid_generation = cpu->asid_generation;
    svm->vmcb->asid = cpu->asid_next++;
    /* The first of a generation clears out all that earlier ones left. */
    svm->vmcb->tlb_control = svm->vmcb->asid == 1 ? TLB_FLUSH_ALL : TLB_KEEP;
}

/*
 * Tells others that this CPU is in the guest, and only then looks whether they
 * asked for a flush: either they see us and kick, or we see their wish.
 */
static void enter_p2m(struct vcpu *v, struct svm_vcpu *svm)
{
    struct p2m *p2m = &v->domain->p2m;
    unsigned id = cpu_this()->id;
    struct svm_cpu *cpu = &svm_cpus[id];
    uint64_t bit = 1ull << id;

    __atomic_fetch_or(&p2m->running, bit, __ATOMIC_SEQ_CST);
    if (__atomic_load_n(&p2m->flush_needed, __ATOMIC_SEQ_CST) & bit) {
        __atomic_fetch_and(&p2m->flush_needed, ~bit, __ATOMIC_SEQ_CST);
        flush_taken(v, id);
    }
    if (svm->asid_cpu != id || svm->asid_generation != cpu->asid_generation)
        asid_assign(svm, cpu, id);
}

void svm_run(struct vcpu *v)
{
    struct svm_vcpu *svm = svm_of(v);
    struct vmcb *vmcb = svm->vmcb;
    uint64_t host_block = svm_cpus[cpu_this()->id].host_block;

    vmcb->rax = v->regs.rax;
    vmcb->rsp = v->regs.rsp;
    vmcb->rip = v->regs.rip;
    vmcb->rflags = v->regs.rflags;
    vmcb->vintr = (vmcb->vintr & ~VINTR_TPR) | v->lapic.tpr >> 4;
    enter_p2m(v, svm);
    svm_enter(&v->regs, svm->block.v, host_block);
    __atomic_fetch_and(&v->domain->p2m.running, ~(1ull << cpu_this()->id), __ATOMIC_SEQ_CST);
    vmcb->tlb_control = TLB_KEEP;
    v->regs.rax = vmcb->rax;
    v->regs.rsp = vmcb->rsp;
    v->regs.rip = vmcb->rip;
    v->regs.rflags = vmcb->rflags;
    if ((vmcb->vintr & VINTR_TPR) != v->lapic.tpr >> 4)
        v->lapic.tpr = (uint32_t)(vmcb->vintr & VINTR_TPR) << 4;
    svm_withdraw(v);
    svm_exit(v, vmcb);
}
