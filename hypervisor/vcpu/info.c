/* vcpu_info, runstate and time areas: guest pages that the core writes, held and reached by
 * windows. */
#include "vcpu/info.h"

#include <arch/clock.h>
#include <arch/peek.h>

#include "domain/domain.h"
#include "event/event.h"
#include "mm/copy.h"
#include "mm/frame.h"
#include "util/string.h"

bool area_is_set(const struct area *area)
{
    return area->frame[0].v != 0;
}

static void area_release(struct area *area)
{
    for (unsigned i = 0; i < 2; i++)
        if (area->frame[i].v != 0)
            frame_put(area->frame[i]);
    *area = (struct area){.offset = 0};
}

int area_register(struct vcpu *v, struct area *area, gla_t address, size_t len)
{
    struct area fresh = {.offset = (uint32_t)(address.v & PAGE_MASK)};
    uint64_t end = address.v + len - 1;
    unsigned pages = (end >> PAGE_SHIFT) != (address.v >> PAGE_SHIFT) ? 2 : 1;

    for (unsigned i = 0; i < pages; i++) {
        gla_t at = {i == 0 ? address.v : end & ~(uint64_t)PAGE_MASK};
        mfn_t frame = {FRAME_NONE};
        gpa_t gpa;

        if (copy_translate(v, at, true, &gpa) == 0)
            frame = p2m_get(&v->domain->p2m, gpa_gfn(gpa), P2M_OWN);
        if (mfn_is_none(frame)) {
            area_release(&fresh);
            return -XEN_EFAULT;
        }
        fresh.frame[i] = frame;
    }
    area_release(area);
    *area = fresh;
    return 0;
}

void area_write(const struct area *area, size_t at, const void *src, size_t len)
{
    const uint8_t *from = src;
    size_t offset = area->offset + at;

    while (len > 0 && area_is_set(area)) {
        size_t page = offset / PAGE_SIZE;
        size_t in = offset % PAGE_SIZE;
        size_t n = len < PAGE_SIZE - in ? len : PAGE_SIZE - in;

        memcpy((uint8_t *)peek(0, area->frame[page]) + in, from, n);
        from += n;
        offset += n;
        len -= n;
    }
    peek_end();
}

struct vcpu_info *info_map(struct vcpu *v)
{
    /* Read once: another vCPU may just be registering the area. */
    mfn_t frame = {__atomic_load_n(&v->info_area.frame[0].v, __ATOMIC_ACQUIRE)};

    if (frame.v == 0)
        return &v->domain->shared->vcpu_info[v->id];
    return (struct vcpu_info *)(void *)((char *)peek(0, frame) + v->info_area.offset);
}

/* A page that is registered meanwhile is in no window yet. */
void info_unmap(const struct vcpu *v)
{
    if (area_is_set(&v->info_area))
        peek_end();
}

int info_register(struct vcpu *v, gfn_t gfn, uint32_t offset)
{
    struct domain *d = v->domain;
    struct vcpu_info *old = &d->shared->vcpu_info[v->id];
    struct area fresh = {.offset = offset};

    if (area_is_set(&v->info_area) || offset % sizeof(uint64_t) != 0 ||
        offset > PAGE_SIZE - sizeof(struct vcpu_info))
        return -XEN_EINVAL;
    fresh.frame[0] = p2m_get(&d->p2m, gfn, P2M_OWN);
    if (mfn_is_none(fresh.frame[0]))
        return -XEN_EINVAL;
    area_write(&fresh, 0, old, sizeof(*old));
    lock_acquire(&d->events->lock);
    v->info_area.offset = fresh.offset;
    __atomic_store_n(&v->info_area.frame[0].v, fresh.frame[0].v, __ATOMIC_RELEASE);
    lock_release(&d->events->lock);
    info_update_time(v);
    /* Events that were told to the old place are told again to the new one. */
    event_retell(v);
    return 0;
}

/* With interrupts off only an NMI can end a wait; whoever waits so is woken by name. */
bool vcpu_has_work(struct vcpu *v)
{
    /* Before its start-up IPI it takes nothing else: work that it cannot do must not wake it. */
    if (v->lapic.waits_for_sipi)
        return v->lapic.sipi != 0 || v->lapic.init_pending;
    if (v->lapic.nmi_pending)
        return true;
    return (v->regs.rflags & RFLAGS_IF) && (lapic_has_work(v) || event_upcall_pending(v));
}

void info_release(struct vcpu *v)
{
    area_release(&v->info_area);
    area_release(&v->runstate_area);
    area_release(&v->time_area);
}

void info_update_time(struct vcpu *v)
{
    const struct clock_scale *scale = clock_scale();
    struct vcpu_info *info = info_map(v);
    /* The scale never changes, so the version is even and stays. */
    struct vcpu_time_info time = {
        .version = 2,
        .tsc_timestamp = scale->tsc_base,
        .system_time = 0,
        .tsc_to_system_mul = scale->mul,
        .tsc_shift = scale->shift,
        .flags = XEN_PVCLOCK_TSC_STABLE_BIT,
    };

    info->time = time;
    info_unmap(v);
    area_write(&v->time_area, 0, &time, sizeof(time));
}
