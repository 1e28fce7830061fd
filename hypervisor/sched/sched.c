/*
 * The scheduler. A vCPU that wakes goes ahead of those that compute, for BOOST_NS
 * at most; so an event is answered at once. Those that compute have a turn of
 * BOOST_NS whenever they have waited for PATIENCE_NS, whoever wakes: nobody starves.
 */
#include "sched/sched.h"

#include <arch/clock.h>

#include "console/console.h"
#include "domain/domain.h"
#include "domain/first.h"
#include "mm/frame.h"
#include "vcpu/info.h"

#define SLICE_NS    10000000u
#define BOOST_NS    1000000u
#define PATIENCE_NS 4000000u
/* A CPU that had nothing to run for so long cleans memory: a domain that only waits for its disk
 * is not kept waiting for that. */
#define QUIET_NS    5000000u

/* Who goes before whom. Those of equal boost wait for each other's end. */
enum {
    COMPUTES,
    WOKE,
    WOKE_BY_DEVICE, /* its card or disk has what others wait for */
    URGENT,
};

struct run_queue {
    struct lock lock;
    struct list boosted;
    struct list normal;
    uint64_t overdue;    /* ns: when the first of `normal` goes before the boosted */
    bool turn;           /* such a one runs */
    struct vcpu *loaded; /* whose vector registers are in this CPU */
    bool ready;
};

static struct run_queue queues[CPU_MAX];

static struct run_queue *queue_of(unsigned cpu)
{
    struct run_queue *q = &queues[cpu];

    if (!q->ready) {
        lock_init(&q->lock, LOCK_SCHED);
        list_init(&q->boosted);
        list_init(&q->normal);
        q->ready = true;
    }
    return q;
}

/* ---- accounting -------------------------------------------------------------- */

static void runstate_set(struct vcpu *v, int state, uint64_t now)
{
    struct vcpu_runstate_info *r = &v->runstate;

    r->time[r->state] += now - r->state_entry_time;
    r->state = state;
    r->state_entry_time = now;
}

/* Tells the guest, the way it asked for: with the update flag up while the rest changes. */
static void runstate_publish(struct vcpu *v)
{
    const size_t at = offsetof(struct vcpu_runstate_info, state_entry_time);
    struct vcpu_runstate_info copy = v->runstate;

    if (!area_is_set(&v->runstate_area))
        return;
    if (!v->domain->runstate_flag) {
        area_write(&v->runstate_area, 0, &copy, sizeof(copy));
        return;
    }
    copy.state_entry_time |= XEN_RUNSTATE_UPDATE;
    area_write(&v->runstate_area, at, &copy.state_entry_time, sizeof(copy.state_entry_time));
    area_write(&v->runstate_area, 0, &copy, sizeof(copy));
    copy.state_entry_time &= ~XEN_RUNSTATE_UPDATE;
    area_write(&v->runstate_area, at, &copy.state_entry_time, sizeof(copy.state_entry_time));
}

struct vcpu_runstate_info sched_runstate(const struct vcpu *v)
{
    struct vcpu_runstate_info r = v->runstate;
    uint64_t now = clock_now();

    r.time[r.state] += now - r.state_entry_time;
    r.state_entry_time = now;
    return r;
}

uint64_t sched_cpu_time(const struct vcpu *v)
{
    return sched_runstate(v).time[RUNSTATE_running];
}

/* ---- the queue: its lock is held ------------------------------------------- */

static bool may_run(const struct vcpu *v)
{
    return v->state == VCPU_RUNNABLE && v->pause_count == 0;
}

/*
 * Others wait for what the control domain does, and for what a domain begins
 * with: a driver's next life. Their boost lasts for a slice; of the latter, until
 * it has had one. They, and whom they wake, go before all others that woke.
 */
static bool is_urgent(const struct vcpu *v)
{
    return v->domain->id == 0 || v->runstate.time[RUNSTATE_running] < v->fresh_until;
}

static void enqueue(struct run_queue *q, struct vcpu *v)
{
    struct list *to = v->boost == COMPUTES ? &q->normal : &q->boosted;

    if (may_run(v) && !v->running && list_is_empty(&v->queue))
        list_add_tail(v->boost == URGENT ? to->next : to, &v->queue);
}

/* The next to run. Nobody goes before one that has its turn. */
static struct vcpu *dequeue(struct run_queue *q, uint64_t now)
{
    bool has_normal = !list_is_empty(&q->normal), has_boosted = !list_is_empty(&q->boosted);

    q->turn = has_normal && has_boosted && now >= q->overdue;
    if (!has_normal && !has_boosted)
        return NULL;
    struct vcpu *v =
        list_entry((q->turn || !has_boosted ? &q->normal : &q->boosted)->next, struct vcpu, queue);
    list_del(&v->queue);
    if (q->turn)
        v->boost = URGENT;
    if (!has_normal)
        q->overdue = now + PATIENCE_NS;
    return v;
}

/* The CPU should look again: somebody is there who goes before what it runs. */
static void prod(unsigned cpu)
{
    cpu_by_id(cpu)->resched = true;
    if (cpu != cpu_this()->id)
        cpu_kick(cpu);
}

/*
 * Somebody waits now. Whom the running vCPU itself woke lets it go on for a
 * while: it puts a whole batch into a ring, and its peer is entered once and not
 * for each request.
 */
static void end_slice(struct vcpu *current, const struct vcpu *v)
{
    bool first = v->boost > current->boost;
    uint64_t now = clock_now();
    bool due = now >= current->slice_end;

    if (cpu_this()->sending && (due || current->slice_end > now + BOOST_NS))
        current->slice_end = now + BOOST_NS;
    else if (due || (first && !cpu_this()->sending))
        current->slice_end = now;
    if (current->slice_end > now && current->cpu == cpu_this()->id)
        timer_limit(current->slice_end);
    else
        prod(current->cpu);
}

/* ---- changes of state ------------------------------------------------------ */

static void set_state(struct vcpu *v, enum vcpu_state state, bool boost)
{
    struct run_queue *q = queue_of(v->cpu);

    LOCK_SCOPE(&q->lock);
    v->state = state;
    if (state == VCPU_RUNNABLE) {
        struct vcpu *current = cpu_by_id(v->cpu)->current, *by_us = cpu_this()->current;

        v->boost = !boost                                        ? COMPUTES
                   : is_urgent(v) || (by_us && is_urgent(by_us)) ? URGENT
                   : cpu_this()->device                          ? WOKE_BY_DEVICE
                                                                 : WOKE;
        v->was_started = true;
        if (v->polling) {
            v->polling = false;
            timer_stop(&v->poll_timer);
        }
        if (!v->running)
            runstate_set(v, RUNSTATE_runnable, clock_now());
        enqueue(q, v);
        if (!current)
            prod(v->cpu);
        else if (current != v)
            end_slice(current, v);
    } else {
        list_del(&v->queue);
        if (!v->running)
            runstate_set(v, RUNSTATE_offline, clock_now());
    }
}

void sched_start(struct vcpu *v)
{
    bool first = !v->was_started; /* of a life: to go down and up again gives a guest nothing */

    if (first)
        v->fresh_until = v->runstate.time[RUNSTATE_running] + SLICE_NS;
    set_state(v, VCPU_RUNNABLE, first);
}

void sched_down(struct vcpu *v)
{
    set_state(v, VCPU_DOWN, false);
}

void sched_wake(struct vcpu *v)
{
    struct run_queue *q = queue_of(v->cpu);

    lock_acquire(&q->lock);
    bool blocked = v->state == VCPU_BLOCKED;
    /* It runs elsewhere: an exit makes it see what came. */
    if (v->running && v->cpu != cpu_this()->id)
        cpu_kick(v->cpu);
    lock_release(&q->lock);
    if (blocked)
        set_state(v, VCPU_RUNNABLE, true);
}

void sched_block(struct vcpu *v)
{
    struct run_queue *q = queue_of(v->cpu);

    lock_acquire(&q->lock);
    if (v->state == VCPU_RUNNABLE)
        v->state = VCPU_BLOCKED;
    lock_release(&q->lock);
    /* What came before the state changed did not wake it. */
    if (vcpu_has_work(v))
        sched_wake(v);
}

void sched_yield(struct vcpu *v)
{
    v->boost = COMPUTES;
    v->fresh_until = 0; /* it knows of somebody who waits more */
    cpu_this()->resched = true;
}

void sched_pause(struct vcpu *v)
{
    struct run_queue *q = queue_of(v->cpu);

    lock_acquire(&q->lock);
    v->pause_count++;
    list_del(&v->queue);
    lock_release(&q->lock);
    if (cpu_this()->current == v) {
        cpu_this()->resched = true;
        return;
    }
    if (__atomic_load_n(&v->running, __ATOMIC_ACQUIRE))
        cpu_kick(v->cpu);
    while (__atomic_load_n(&v->running, __ATOMIC_ACQUIRE))
        cpu_relax();
}

void sched_unpause(struct vcpu *v)
{
    struct run_queue *q = queue_of(v->cpu);

    lock_acquire(&q->lock);
    v->pause_count--;
    enqueue(q, v);
    lock_release(&q->lock);
    prod(v->cpu);
}

void sched_forget(struct vcpu *v)
{
    struct run_queue *q = queue_of(v->cpu);

    LOCK_SCOPE(&q->lock);
    list_del(&v->queue);
    if (q->loaded == v)
        q->loaded = NULL;
}

/* ---- the loop -------------------------------------------------------------- */

/* Takes the next vCPU and marks it as running here; NULL: nobody wants to. */
static struct vcpu *pick(struct run_queue *q, struct cpu *cpu)
{
    LOCK_SCOPE(&q->lock);
    uint64_t now = clock_now();
    struct vcpu *v = dequeue(q, now);
    if (v) {
        v->running = true;
        cpu->current = v;
        runstate_set(v, RUNSTATE_running, now);
        v->slice_end = now + (v->boost != COMPUTES && !is_urgent(v) ? BOOST_NS : SLICE_NS);
    }
    return v;
}

static void put_back(struct run_queue *q, struct cpu *cpu, struct vcpu *v)
{
    uint64_t now = clock_now();

    LOCK_SCOPE(&q->lock);
    if (q->turn || (v->boost == COMPUTES && now - v->runstate.state_entry_time >= BOOST_NS))
        q->overdue = now + PATIENCE_NS; /* it had its turn, however long that was */
    if (now >= v->slice_end)
        v->boost = COMPUTES;
    int state = v->state == VCPU_BLOCKED ? RUNSTATE_blocked
                : may_run(v)             ? RUNSTATE_runnable
                                         : RUNSTATE_offline;
    runstate_set(v, state, now);
    cpu->current = NULL;
    __atomic_store_n(&v->running, false, __ATOMIC_RELEASE);
    enqueue(q, v);
}

static void load(struct run_queue *q, struct vcpu *v)
{
    if (q->loaded == v)
        return;
    if (q->loaded)
        vcpu_switch_out(q->loaded);
    vcpu_switch_in(v);
    q->loaded = v;
}

/* When the CPU must look again: a vCPU that nobody waits for has no end to its slice. */
static uint64_t latest(const struct run_queue *q, const struct vcpu *v)
{
    bool alone = list_is_empty(&q->boosted) && list_is_empty(&q->normal);

    return alone || console_due < v->slice_end ? console_due : v->slice_end;
}

/* Lets one vCPU run until it blocks, is stopped, its time is over, or a better one woke. */
static void run(struct run_queue *q, struct cpu *cpu, struct vcpu *v)
{
    load(q, v);
    runstate_publish(v);
    timer_run(latest(q, v));
    while (may_run(v) && !cpu->resched) {
        vcpu_run(v);
        if (!cpu->timer_fired)
            continue;
        /* First whether the slice is over: its end, armed again, would interrupt at once. */
        if (clock_now() >= latest(q, v))
            break;
        timer_run(latest(q, v));
    }
}

/* Nothing wants to run: sends what waits, cleans a piece of memory, or waits for an interrupt. */
static void idle(struct cpu *cpu, uint64_t quiet)
{
    bool dirty = frame_is_dirty();

    if (console_send(true)) {
        cpu_take_interrupts();
        return;
    }
    if (dirty && clock_now() >= quiet) {
        (void)frame_scrub();
        cpu_take_interrupts();
        return;
    }
    if (dirty)
        timer_limit(quiet);
    if (!cpu->resched && !cpu->timer_fired)
        cpu_idle_halt();
}

_Noreturn void sched_loop(void)
{
    struct cpu *cpu = cpu_this();
    struct run_queue *q = queue_of(cpu->id);
    uint64_t quiet = 0;

    for (;;) {
        cpu->resched = false;
        timer_run(CLOCK_NEVER);
        first_again();
        (void)console_send(false);
        struct vcpu *v = pick(q, cpu);
        if (!v) {
            idle(cpu, quiet);
            continue;
        }
        run(q, cpu, v);
        put_back(q, cpu, v);
        cpu_take_interrupts();
        quiet = clock_now() + QUIET_NS;
    }
}
