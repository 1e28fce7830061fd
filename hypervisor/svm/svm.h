/* What the files of AMD's SVM share. */
#pragma once

#include "svm/vmcb.h"
#include "vcpu/virt.h"

struct svm_vcpu {
    struct vmcb *vmcb;        /* page of the pool */
    hpa_t block;              /* where it lies */
    uint64_t asid_generation; /* of asid_cpu; 0: needs a new ASID */
    unsigned asid_cpu;
    bool held; /* stopped behind an STI, whose shadow must still hold */
    uint64_t held_rip;
    bool offered;    /* an interrupt stands in the control block for the guest to take */
    bool nmi_masked; /* from an NMI's delivery to the guest's IRET */
    bool debug_live; /* the guest's DR0-DR3 are in the CPU and its accesses do not exit */
    uint64_t debug[4];
};

static inline struct svm_vcpu *svm_of(const struct vcpu *v)
{
    return v->virt;
}

/* This machine's SVM tells where the instruction that exited ends. */
extern bool svm_next_rip;

/* Physical addresses of the intercept bitmaps, the same for all vCPUs. */
extern uint64_t svm_io_bitmap, svm_msr_bitmap;

#define EFER_SVME (1ull << 12)

/* Handles the exit that the control block tells of. */
void svm_exit(struct vcpu *v, struct vmcb *vmcb);

void svm_advance(struct vcpu *v, unsigned length);

uint64_t svm_nested_leaf(mfn_t mfn, unsigned level, enum p2m_type type);
uint64_t svm_nested_table(mfn_t table);

/* The guest reads or writes DR0-DR7: from now on it does so without an exit. */
bool svm_debug_use(struct vcpu *v);

/* After an exit: what the entry offered was taken, or is no longer offered. */
void svm_withdraw(struct vcpu *v);

/* svm.c: rows of struct virt_ops. */
int svm_cpu_enable(void);
int svm_vcpu_init(struct vcpu *v);
void svm_vcpu_fini(struct vcpu *v);
void svm_run(struct vcpu *v);

/* Assembly: one stay in the guest; saves FS, GS, TR and the like. */
void svm_enter(struct regs *regs, uint64_t guest_block, uint64_t host_block);
void svm_vmsave(uint64_t block);

extern const struct virt_ops svm_ops;
