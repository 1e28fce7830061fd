/*
 * Timers: a queue per CPU in order of deadlines. A vCPU has three at most, so
 * queues are short and a list is the right thing.
 */
#include "sched/timer.h"

#include <arch/clock.h>
#include <arch/cpu.h>

#include "event/event.h"
#include "sched/sched.h"
#include "vcpu/vcpu.h"

struct timer_queue {
    struct lock lock;
    bool ready;
    struct list list;
    uint64_t latest;      /* the scheduler's own wish */
    uint64_t armed;       /* what the hardware was told last */
    struct timer *firing; /* its handler runs now */
};

static struct timer_queue queues[CPU_MAX];

static void fire(struct timer *timer)
{
    switch ((enum timer_kind)timer->kind) {
    case TIMER_SINGLESHOT:
        event_raise_virq(list_entry(timer, struct vcpu, timer), VIRQ_TIMER);
        return;
    case TIMER_POLL: sched_wake(list_entry(timer, struct vcpu, poll_timer)); return;
    case TIMER_LAPIC: lapic_timer_fire(list_entry(timer, struct vcpu, lapic.timer)); return;
    }
}

static struct timer_queue *queue_of(unsigned cpu)
{
    struct timer_queue *q = &queues[cpu];

    if (!q->ready) {
        lock_init(&q->lock, LOCK_TIMER);
        list_init(&q->list);
        q->latest = CLOCK_NEVER;
        q->armed = CLOCK_NEVER;
        q->ready = true;
    }
    return q;
}

void timer_init(struct timer *timer, enum timer_kind kind)
{
    *timer = (struct timer){.kind = (uint8_t)kind};
    list_init(&timer->list);
}

/* Tells the hardware, if it does not know. A later deadline is left: one early interrupt is cheap.
 */
static void arm_hardware(struct timer_queue *q)
{
    uint64_t next = q->latest;

    if (!list_is_empty(&q->list)) {
        uint64_t first = list_entry(q->list.next, struct timer, list)->deadline;

        if (first < next)
            next = first;
    }
    if (next < q->armed) {
        q->armed = next;
        clock_timer_arm(next);
    }
}

void timer_arm(struct timer *timer, uint64_t deadline)
{
    struct timer_queue *q = queue_of(cpu_this()->id);
    struct list *before = &q->list;

    timer_stop(timer);
    timer->cpu = (uint8_t)cpu_this()->id;
    LOCK_SCOPE(&q->lock);
    list_for_each (struct timer, later, &q->list, list) {
        if (later->deadline > deadline) {
            before = &later->list;
            break;
        }
    }
    timer->deadline = deadline;
    timer->armed = true;
    list_add_tail(before, &timer->list);
    arm_hardware(q);
}

void timer_stop(struct timer *timer)
{
    if (!__atomic_load_n(&timer->armed, __ATOMIC_ACQUIRE))
        return;
    LOCK_SCOPE(&queue_of(timer->cpu)->lock);
    timer->armed = false;
    list_del(&timer->list);
}

void timer_end(struct timer *timer)
{
    do {
        timer_stop(timer);
        while (__atomic_load_n(&queue_of(timer->cpu)->firing, __ATOMIC_ACQUIRE) == timer)
            cpu_relax();
    } while (__atomic_load_n(&timer->armed, __ATOMIC_ACQUIRE)); /* its handler may arm it again */
}

/* The first timer that is due, taken out of the queue. */
static struct timer *take_due(struct timer_queue *q, uint64_t now)
{
    LOCK_SCOPE(&q->lock);
    struct timer *timer = list_entry(q->list.next, struct timer, list);
    if (list_is_empty(&q->list) || timer->deadline > now)
        return NULL;
    q->firing = timer;
    timer->armed = false;
    list_del(&timer->list);
    return timer;
}

void timer_limit(uint64_t latest)
{
    struct timer_queue *q = queue_of(cpu_this()->id);

    LOCK_SCOPE(&q->lock);
    if (latest >= q->latest)
        return;
    q->latest = latest;
    arm_hardware(q);
}

void timer_run(uint64_t latest)
{
    struct cpu *cpu = cpu_this();
    struct timer_queue *q = queue_of(cpu->id);
    struct timer *timer;

    if (!cpu->timer_fired && latest == q->latest)
        return;
    if (cpu->timer_fired) {
        cpu->timer_fired = false;
        q->armed = CLOCK_NEVER;
        while ((timer = take_due(q, clock_now())) != NULL) {
            fire(timer);
            __atomic_store_n(&q->firing, NULL, __ATOMIC_RELEASE);
        }
    }
    LOCK_SCOPE(&q->lock);
    q->latest = latest;
    arm_hardware(q);
}
