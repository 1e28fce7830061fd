/* A virtual CPU: its registers, what it waits for, what is to be injected. */
#pragma once

#include <abi/addr.h>
#include <abi/bulkhead.h>
#include <abi/vcpu.h>

#include "sched/timer.h"
#include "util/check.h"
#include "util/list.h"
#include "vcpu/lapic.h"

struct domain;

#define RFLAGS_IF (1ull << 9)

enum {
    EXCEPTION_DB = 1,
    EXCEPTION_UD = 6,
    EXCEPTION_GP = 13,
    EXCEPTION_AC = 17,
    EXCEPTION_MC = 18
};
#define VECTOR_NMI 2u

/* General registers; rax, rsp, rip and rflags are kept current across every exit and entry. */
struct regs {
    uint64_t rbx, rcx, rdx, rsi, rbp; /* first: run.S moves them, in this order */
    uint64_t r8, r9, r10, r11, r12, r13, r14, r15, rdi;
    uint64_t rax, rsp, rip, rflags;
};

enum vcpu_state {
    VCPU_DOWN,     /* never started, or taken down */
    VCPU_RUNNABLE, /* runs, or waits for a CPU */
    VCPU_BLOCKED   /* waits for an event */
};

/* A guest's page that the core updates: a reference is held on each frame. */
struct area {
    mfn_t frame[2]; /* 0 (nobody's RAM): not there; the second if the area crosses a page */
    uint32_t offset;
};

#define MSR_MTRR_FIRST 0x200u

struct vcpu {
    struct regs regs; /* first: assembly knows its offsets */
    struct domain *domain;
    unsigned id;
    void *virt; /* the vendor's part: struct svm_vcpu or struct vmx_vcpu */
    struct lapic lapic;

    /* Scheduling: under the run queue's lock (sched/sched.h). */
    enum vcpu_state state;
    unsigned cpu;         /* where it runs */
    unsigned pause_count; /* 0: may run */
    bool running;         /* on a CPU now */
    uint8_t boost;        /* see sched.c */
    uint64_t fresh_until; /* ns that it ran; see is_urgent */
    bool was_started;     /* has been given a state to run from */
    struct list queue;    /* in the run queue */
    uint64_t slice_end;   /* ns */
    struct vcpu_runstate_info runstate;
    struct area runstate_area;
    struct area time_area;

    /* Events. */
    struct area info_area; /* vcpu_info in guest memory; none: in shared info */
    int16_t offered;       /* the local APIC's vector that this entry offers; -1: an upcall */
    bool upcall;           /* evtchn_upcall_pending was set by us and may still be */
    bool polling;          /* in SCHEDOP_poll */
    struct timer timer;    /* one-shot PV timer */
    struct timer poll_timer;
    uint16_t virq_port[24]; /* bound virtual interrupts, 0: none */

    uint64_t exits_by[BULKHEAD_EXIT_KINDS];
    uint64_t fpu_xcr0;
    uint64_t tsc_aux;
    void *fpu; /* XSAVE area, in the pool */
    uint64_t
        mtrr[0x100]; /* from MSR_MTRR_FIRST on: memory types, which only tell what was written */
};

/* A vCPU that is down; NULL if the pool is used up. */
MUST_USE struct vcpu *vcpu_create(struct domain *d, unsigned id);

/* It runs nowhere and is in no queue; its making may have stopped halfway. */
void vcpu_destroy(struct vcpu *v);

/*
 * PVH entry state (32-bit flat protected mode, paging off, EBX = start info);
 * the local APIC as after INIT, in x2APIC mode.
 */
void vcpu_reset_pvh(struct vcpu *v, uint32_t entry, uint32_t start_info);

/* Its guest takes it down: with the last one the domain is off. */
void vcpu_down(struct vcpu *v);

/* One stay in the guest: enter, exit, and handle the exit. Called by the scheduler. */
void vcpu_run(struct vcpu *v);

/* Before another vCPU (or none) runs on this CPU: takes vector registers and TSC_AUX out. */
void vcpu_switch_out(struct vcpu *v);
void vcpu_switch_in(struct vcpu *v);

/* Something waits to be delivered that ends a halt. */
bool vcpu_has_work(struct vcpu *v);

/* What decides how a linear address is translated and whose hands a call comes from. */
struct vcpu_mode {
    uint64_t cr0, cr3, cr4, efer;
    unsigned cpl;
    bool cs_long; /* 64-bit code segment */
    bool cs_big;  /* 32-bit code segment */
    uint64_t cs_base;
};
void vcpu_mode(const struct vcpu *v, struct vcpu_mode *mode);

/* The guest took what the entry offered it. */
void vcpu_taken(struct vcpu *v);

/* An exception at the next entry; its error code, if it has one, is 0. */
void vcpu_raise(struct vcpu *v, uint8_t vector);

/* Prints the registers to the core's log, before a domain is crashed for what it did. */
void vcpu_dump(const struct vcpu *v);
