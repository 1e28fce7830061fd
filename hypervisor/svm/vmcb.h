/* The virtual machine control block of AMD's SVM (APM volume 2, appendix B). */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* Intercepts of word 3 (offset 0x0c) that come and go. */
#define INTERCEPT_VINTR (1u << 4)
#define INTERCEPT_IRET  (1u << 20)

/* Intercepts of accesses to DR0-DR7: reads in the low half, writes in the high half. */
#define INTERCEPT_DR_ALL 0x00ff00ffu

#define TLB_KEEP      0u
#define TLB_FLUSH_ALL 1u

/* Virtual interrupt control (offset 0x60). */
#define VINTR_TPR            0xfull
#define VINTR_IRQ            (1ull << 8)
#define VINTR_PRIORITY_SHIFT 16
#define VINTR_PRIORITY       (0xfull << VINTR_PRIORITY_SHIFT)
#define VINTR_IGNORE_TPR     (1ull << 20)
#define VINTR_MASKING        (1ull << 24)
#define VINTR_VECTOR_SHIFT   32

#define SHADOW_INTERRUPT (1ull << 0)

/* EVENTINJ and EXITINTINFO. */
#define EVENT_VALID      (1ull << 31)
#define EVENT_HAS_ERROR  (1ull << 11)
#define EVENT_TYPE_SHIFT 8
#define EVENT_TYPE_MASK  7u
#define EVENT_INTERRUPT  0u
#define EVENT_NMI        2u
#define EVENT_EXCEPTION  3u
#define EVENT_SOFTWARE   4u

#define NESTED_PAGING 1ull

struct vmcb_segment {
    uint16_t selector;
    uint16_t attributes; /* descriptor bits 40-47 and 52-55, packed */
    uint32_t limit;
    uint64_t base;
};

#define SEGMENT_LONG (1u << 9)
#define SEGMENT_BIG  (1u << 10)

struct vmcb {
    uint32_t intercept_cr;
    uint32_t intercept_dr;
    uint32_t intercept_exceptions;
    uint32_t intercept3;
    uint32_t intercept4;
    uint32_t intercept5;
    uint8_t reserved18[0x40 - 0x18];
    uint64_t iopm;
    uint64_t msrpm;
    uint64_t tsc_offset;
    uint32_t asid;
    uint32_t tlb_control;
    uint64_t vintr;
    uint64_t shadow;
    uint64_t exit_code;
    uint64_t exit_info1;
    uint64_t exit_info2;
    uint64_t exit_event; /* EXITINTINFO: the event whose delivery the exit cut short */
    uint64_t nested_control;
    uint8_t reserved98[0xa8 - 0x98];
    uint64_t inject; /* EVENTINJ */
    uint64_t nested_cr3;
    uint64_t lbr_control;
    uint64_t clean;
    uint64_t next_rip;
    uint8_t reserved_d0[0x400 - 0xd0];

    struct vmcb_segment es, cs, ss, ds, fs, gs, gdtr, ldtr, idtr, tr;
    uint8_t reserved4a0[0x4cb - 0x4a0];
    uint8_t cpl;
    uint32_t reserved4cc;
    uint64_t efer;
    uint8_t reserved4d8[0x548 - 0x4d8];
    uint64_t cr4, cr3, cr0, dr7, dr6, rflags, rip;
    uint8_t reserved580[0x5d8 - 0x580];
    uint64_t rsp;
    uint8_t reserved5e0[0x5f8 - 0x5e0];
    uint64_t rax;
    uint64_t star, lstar, cstar, sfmask, kernel_gs_base;
    uint64_t sysenter_cs, sysenter_esp, sysenter_eip;
    uint64_t cr2;
    uint8_t reserved648[0x668 - 0x648];
    uint64_t pat;
    uint64_t debugctl;
    uint8_t reserved678[0x1000 - 0x678];
} __attribute__((packed, aligned(4096)));

#define VMCB_AT(field, offset) _Static_assert(offsetof(struct vmcb, field) == (offset), #field)
VMCB_AT(intercept3, 0x00c);
VMCB_AT(iopm, 0x040);
VMCB_AT(asid, 0x058);
VMCB_AT(vintr, 0x060);
VMCB_AT(exit_code, 0x070);
VMCB_AT(exit_event, 0x088);
VMCB_AT(nested_control, 0x090);
VMCB_AT(inject, 0x0a8);
VMCB_AT(nested_cr3, 0x0b0);
VMCB_AT(clean, 0x0c0);
VMCB_AT(next_rip, 0x0c8);
VMCB_AT(es, 0x400);
VMCB_AT(tr, 0x490);
VMCB_AT(cpl, 0x4cb);
VMCB_AT(efer, 0x4d0);
VMCB_AT(cr4, 0x548);
VMCB_AT(rip, 0x578);
VMCB_AT(rsp, 0x5d8);
VMCB_AT(rax, 0x5f8);
VMCB_AT(star, 0x600);
VMCB_AT(sysenter_eip, 0x638);
VMCB_AT(cr2, 0x640);
VMCB_AT(pat, 0x668);
_Static_assert(sizeof(struct vmcb) == 4096, "control block");
