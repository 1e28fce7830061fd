/*
 * The seam to hardware virtualization: SVM implements it, VT-x will. One const
 * table per vendor, chosen once at boot by virt_init.
 */
#pragma once

#include "mm/p2m.h"
#include "vcpu/vcpu.h"

#define VIRT_ANY 16u

struct virt_ops {
    const char *name;
    int (*cpu_enable)(void); /* on each CPU; -XEN_ENODEV with a logged reason */
    int (*vcpu_init)(struct vcpu *v);
    void (*vcpu_fini)(struct vcpu *v); /* also if vcpu_init failed */
    void (*reset_pvh)(struct vcpu *v, uint32_t entry, uint32_t start_info);
    void (*reset_sipi)(struct vcpu *v, uint8_t vector); /* real mode, at vector << 12 */
    void (*run)(struct vcpu *v); /* enters, leaves, dispatches the exit by its table */
    void (*mode)(const struct vcpu *v, struct vcpu_mode *mode);
    void (*advance)(struct vcpu *v,
                    unsigned length);               /* past an instruction; forgets STI's shadow */
    void (*inject)(struct vcpu *v, uint8_t vector); /* an exception or an NMI */
    bool (*can_nmi)(const struct vcpu *v);
    /* The guest takes an interrupt as soon as it can, until its next exit; vcpu_taken tells. A
     * priority as below. */
    void (*offer)(struct vcpu *v, uint8_t vector, unsigned priority);
    /* Exit as soon as interrupts open for this priority (1 to 15); VIRT_ANY: whatever the TPR says,
     * 0: no. */
    void (*want_window)(struct vcpu *v, unsigned priority);
    /* Registers that live in the vendor's block (EFER, PAT); false: not there, or a bad value. */
    bool (*msr_read)(struct vcpu *v, uint32_t index, uint64_t *value);
    bool (*msr_write)(struct vcpu *v, uint32_t index, uint64_t value);
    void (*switch_out)(struct vcpu *v); /* what else must leave the CPU before another vCPU comes */
    void (*dump)(const struct vcpu *v);
    /* Nested page-table entries: level 0 = 4 KiB, 1 = 2 MiB, 2 = 1 GiB; bit 1 allows writing. */
    uint64_t (*nested_leaf)(mfn_t mfn, unsigned level, enum p2m_type type);
    uint64_t (*nested_table)(mfn_t table);
};

/* Set before the first vCPU; NULL where the CPU has nothing we know. */
extern const struct virt_ops *virt;

/* Picks the vendor and enables it on this CPU; the others call virt->cpu_enable. */
MUST_USE int virt_init(void);
