/*
 * Shoot-down. Whoever removed entries waits until nobody can use them: no CPU in
 * guest mode with an old translation, or in the core while it reads the tables,
 * and no device of the domain.
 */
#include <arch/tlb.h>

#include "iommu/iommu.h"
#include "mm/p2m.h"

/* In the guest without having flushed since. */
static bool runs_stale(const struct p2m *p2m, uint64_t bit)
{
    return __atomic_load_n(&p2m->running, __ATOMIC_SEQ_CST) & bit &&
           __atomic_load_n(&p2m->flush_needed, __ATOMIC_SEQ_CST) & bit;
}

static bool is_reading(const struct cpu *cpu, const struct p2m *p2m)
{
    return cpu->reading[0] == p2m || cpu->reading[1] == p2m;
}

void tlb_flush_p2m(struct p2m *p2m)
{
    unsigned self = cpu_this()->id;

    __atomic_fetch_or(&p2m->flush_needed, UINT64_MAX, __ATOMIC_SEQ_CST);
    barrier_full();
    for (unsigned id = 0; id < cpu_count(); id++) {
        uint64_t bit = 1ull << id;
        if (id == self)
            continue;
        if (runs_stale(p2m, bit))
            cpu_kick(id);
        while (runs_stale(p2m, bit))
            cpu_relax();
        while (is_reading(cpu_by_id(id), p2m))
            cpu_relax();
    }
    iommu_flush(p2m);
}
