/* Reading nested page tables: without the lock, in sections that a remover waits for. */
#include <arch/barrier.h>
#include <arch/cpu.h>

#include "mm/entry.h"
#include "mm/frame.h"
#include "mm/heap.h"
#include "mm/p2m.h"

void p2m_read_begin(const struct p2m *p2m, unsigned slot)
{
    struct cpu *cpu = cpu_this();

    CHECK(!cpu->reading[slot]);
    cpu->reading[slot] = p2m;
    barrier_full(); /* seen by removers before any entry is read */
}

void p2m_read_end(unsigned slot)
{
    __atomic_store_n(&cpu_this()->reading[slot], NULL, __ATOMIC_RELEASE);
}

mfn_t p2m_lookup(struct p2m *p2m, gfn_t gfn, enum p2m_type *type)
{
    unsigned level = 0;

    p2m_read_begin(p2m, 0);
    uint64_t e = entry_find(p2m, gfn.v, &level);
    p2m_read_end(0);
    *type = (enum p2m_type)entry_type(e);
    return (mfn_t){e ? entry_mfn(e, gfn.v, level) : FRAME_NONE};
}

mfn_t p2m_get(struct p2m *p2m, gfn_t gfn, bool write)
{
    mfn_t mfn = {FRAME_NONE};
    unsigned level = 0;

    p2m_read_begin(p2m, 0);
    uint64_t e = entry_find(p2m, gfn.v, &level);
    if (entry_allows(entry_type(e), write)) {
        mfn.v = entry_mfn(e, gfn.v, level);
        frame_get(mfn);
    }
    p2m_read_end(0);
    return mfn;
}

mfn_t p2m_get_own(struct p2m *p2m, gfn_t gfn)
{
    mfn_t mfn = {FRAME_NONE};
    unsigned level = 0;

    p2m_read_begin(p2m, 0);
    uint64_t e = entry_find(p2m, gfn.v, &level);
    if (entry_type(e) == P2M_RAM) {
        mfn.v = entry_mfn(e, gfn.v, level);
        frame_get(mfn);
    }
    p2m_read_end(0);
    return mfn;
}

uint64_t p2m_ram_end(const struct p2m *p2m)
{
    return p2m->ram_end;
}

hpa_t p2m_root(const struct p2m *p2m)
{
    return mfn_hpa(pool_mfn(p2m->root));
}

uint64_t p2m_gfn_limit(void)
{
    return 1ull << (cpu_physical_bits() - PAGE_SHIFT);
}
