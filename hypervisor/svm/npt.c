/* Entries of the nested page tables: the processor's own format, types in bits it ignores are
 * p2m's. */
#include "svm/svm.h"

#include <arch/table.h>

#define NPT_PRESENT       (1ull << 0)
#define NPT_WRITE         (1ull << 1)
#define NPT_USER          (1ull << 2) /* every access of a guest counts as a user's */
#define NPT_WRITE_THROUGH (1ull << 3)
#define NPT_CACHE_DISABLE (1ull << 4)
#define NPT_ACCESSED      (1ull << 5)
#define NPT_DIRTY         (1ull << 6)
#define NPT_LARGE         (1ull << 7)
#define NPT_UNIT_READ     (1ull << 61) /* for AMD's IOMMU; the CPU ignores them */
#define NPT_UNIT_WRITE    (1ull << 62)
#define NPT_NO_EXECUTE    (1ull << 63)

/* Accessed and dirty are set at once: nobody reads them, and the CPU need not write them. */
#define NPT_LEAF (NPT_PRESENT | NPT_USER | NPT_ACCESSED | NPT_DIRTY)

static const uint64_t leaf_bits[] = {
    [P2M_RAM] = NPT_LEAF | NPT_WRITE,
    [P2M_RAM_RO] = NPT_LEAF,
    [P2M_GRANT] = NPT_LEAF | NPT_WRITE | NPT_NO_EXECUTE,
    [P2M_GRANT_RO] = NPT_LEAF | NPT_NO_EXECUTE,
    [P2M_SHARED] = NPT_LEAF | NPT_WRITE | NPT_NO_EXECUTE,
    [P2M_DEVICE] = NPT_LEAF | NPT_WRITE | NPT_NO_EXECUTE | NPT_CACHE_DISABLE | NPT_WRITE_THROUGH,
    [P2M_HOLE] = NPT_LEAF | NPT_NO_EXECUTE,
    [P2M_SCRATCH] = NPT_LEAF | NPT_WRITE | NPT_NO_EXECUTE,
};

uint64_t svm_nested_leaf(mfn_t mfn, unsigned level, enum p2m_type type)
{
    uint64_t bits = leaf_bits[type];

    /* A device may do what the CPU may, in these; the unit reserves the bit that forbids execution.
     */
    if (table_amdvi && type <= P2M_GRANT_RO)
        bits = (bits & ~NPT_NO_EXECUTE) | NPT_UNIT_READ | (bits & NPT_WRITE ? NPT_UNIT_WRITE : 0);
    return mfn_hpa(mfn).v | bits | (level > 0 ? NPT_LARGE : 0);
}

uint64_t svm_nested_table(mfn_t table)
{
    return mfn_hpa(table).v | NPT_LEAF | NPT_WRITE |
           (table_amdvi ? NPT_UNIT_READ | NPT_UNIT_WRITE : 0);
}
