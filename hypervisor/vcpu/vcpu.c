/* A virtual CPU's life, and what is decided before each entry. */
#include "vcpu/vcpu.h"

#include <arch/clock.h>
#include <arch/fpu.h>

#include "domain/domain.h"
#include "event/event.h"
#include "mm/copy.h"
#include "mm/heap.h"
#include "sched/sched.h"
#include "vcpu/msr.h"
#include "vcpu/virt.h"

#define XCR0_RESET 1u

struct vcpu *vcpu_create(struct domain *d, unsigned id)
{
    struct vcpu *v = heap_alloc(sizeof(*v));

    if (!v)
        return NULL;
    v->domain = d;
    v->id = id;
    v->state = VCPU_DOWN;
    v->runstate.state = RUNSTATE_offline;
    v->runstate.state_entry_time = clock_now();
    list_init(&v->queue);
    timer_init(&v->timer, TIMER_SINGLESHOT);
    timer_init(&v->poll_timer, TIMER_POLL);
    timer_init(&v->lapic.timer, TIMER_LAPIC);
    v->fpu = pool_alloc(pool_order(fpu_area_len()));
    if (!v->fpu || virt->vcpu_init(v) != 0) {
        vcpu_destroy(v);
        return NULL;
    }
    vcpu_reset_pvh(v, 0, 0);
    v->lapic.startup = v->lapic.waits_for_sipi = id > 0;
    return v;
}

void vcpu_destroy(struct vcpu *v)
{
    sched_forget(v);
    timer_end(&v->timer);
    timer_end(&v->poll_timer);
    timer_end(&v->lapic.timer);
    virt->vcpu_fini(v);
    pool_free(v->fpu, pool_order(fpu_area_len()));
    heap_free(v);
}

void vcpu_reset_pvh(struct vcpu *v, uint32_t entry, uint32_t start_info)
{
    sched_forget(v); /* vector registers that a CPU still holds are not written back */
    fpu_area_reset(v->fpu);
    v->fpu_xcr0 = XCR0_RESET;
    v->tsc_aux = 0;
    msr_reset(v);
    lapic_reset(v);
    virt->reset_pvh(v, entry, start_info);
}

void vcpu_down(struct vcpu *v)
{
    struct domain *d = v->domain;
    bool all_down = true;

    lock_acquire(&d->lock);
    sched_down(v);
    for (unsigned i = 0; i < d->vcpu_count; i++)
        all_down = all_down && d->vcpu[i]->state == VCPU_DOWN;
    lock_release(&d->lock);
    if (all_down)
        domain_shutdown(d, SHUTDOWN_poweroff);
}

/* INIT and start-up IPIs that came meanwhile. False: the vCPU waits for one. */
static bool take_startup(struct vcpu *v)
{
    if (__atomic_exchange_n(&v->lapic.init_pending, false, __ATOMIC_ACQ_REL)) {
        lapic_reset(v);
        v->lapic.waits_for_sipi = true;
    }
    if (!v->lapic.waits_for_sipi) {
        v->lapic.startup = false;
        return true;
    }
    uint16_t sipi = __atomic_exchange_n(&v->lapic.sipi, 0, __ATOMIC_ACQ_REL);
    if (sipi == 0) {
        sched_block(v);
        return false;
    }
    v->lapic.waits_for_sipi = v->lapic.startup = false;
    virt->reset_sipi(v, (uint8_t)sipi);
    return true;
}

static bool deliver_nmi(struct vcpu *v)
{
    if (!virt->can_nmi(v))
        return false;
    v->lapic.nmi_pending = false;
    virt->inject(v, VECTOR_NMI);
    return true;
}

/*
 * What this entry offers the guest: one interrupt, which the CPU delivers as soon
 * as the guest can take it. One of the local APIC goes first: its end is an exit,
 * and then it is the upcall's turn.
 */
static void deliver_pending(struct vcpu *v)
{
    int vector = v->lapic.maybe ? lapic_pending(v) : -1;
    unsigned priority = vector >= 0 ? (unsigned)vector >> 4 : VIRT_ANY;

    v->offered = (int16_t)vector;
    if (v->lapic.nmi_pending && !deliver_nmi(v)) {
        virt->want_window(v, VIRT_ANY);
        return;
    }
    if (vector < 0 && event_upcall_pending(v))
        vector = v->domain->callback_vector;
    if (vector < 0)
        virt->want_window(v, v->lapic.maybe ? lapic_blocked(v) : 0);
    else
        virt->offer(v, (uint8_t)vector, priority);
}

void vcpu_taken(struct vcpu *v)
{
    if (v->offered < 0) {
        v->domain->stats.upcalls++;
        return;
    }
    lapic_accept(v, (uint8_t)v->offered);
    v->domain->stats.interrupts++;
}

void vcpu_run(struct vcpu *v)
{
    if (v->lapic.startup && !take_startup(v))
        return;
    deliver_pending(v);
    copy_forget();
    virt->run(v);
}

void vcpu_switch_in(struct vcpu *v)
{
    fpu_load(v->fpu, v->fpu_xcr0, v->tsc_aux);
}

void vcpu_switch_out(struct vcpu *v)
{
    v->fpu_xcr0 = fpu_save(v->fpu, &v->tsc_aux);
    virt->switch_out(v);
}

void vcpu_mode(const struct vcpu *v, struct vcpu_mode *mode)
{
    virt->mode(v, mode);
}

void vcpu_raise(struct vcpu *v, uint8_t vector)
{
    virt->inject(v, vector);
}

void vcpu_dump(const struct vcpu *v)
{
    const struct regs *r = &v->regs;

    console_log("vCPU %u: rip %lx rflags %lx rsp %lx", v->id, r->rip, r->rflags, r->rsp);
    console_log("  rax %lx rbx %lx rcx %lx rdx %lx", r->rax, r->rbx, r->rcx, r->rdx);
    console_log("  rsi %lx rdi %lx rbp %lx r8 %lx", r->rsi, r->rdi, r->rbp, r->r8);
    console_log("  r9 %lx r10 %lx r11 %lx r12 %lx", r->r9, r->r10, r->r11, r->r12);
    console_log("  r13 %lx r14 %lx r15 %lx", r->r13, r->r14, r->r15);
    virt->dump(v);
}
