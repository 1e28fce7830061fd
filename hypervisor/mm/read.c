/* Reading nested page tables: without the lock, in sections that a remover waits for. */

#include "mm/frame.h"
#include "mm/heap.h"
#include "mm/lookup.h"

mfn_t p2m_lookup(struct p2m *p2m, gfn_t gfn, enum p2m_type *type)
{
    p2m_read_begin(p2m, 0);
    uint64_t e = lookup_entry(p2m, gfn.v);
    p2m_read_end(0);
    *type = (enum p2m_type)entry_type(e);
    return e ? lookup_mfn(e) : (mfn_t){FRAME_NONE};
}

mfn_t p2m_get(struct p2m *p2m, gfn_t gfn, uint32_t types)
{
    mfn_t mfn = {FRAME_NONE};

    p2m_read_begin(p2m, 0);
    uint64_t e = lookup_entry(p2m, gfn.v);
    if (types >> entry_type(e) & 1) {
        mfn = lookup_mfn(e);
        frame_get(mfn);
    }
    p2m_read_end(0);
    return mfn;
}

uint64_t p2m_gfn_limit(void)
{
    return 1ull << (cpu_physical_bits() - PAGE_SHIFT);
}
