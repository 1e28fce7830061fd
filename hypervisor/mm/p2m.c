/* Nested page tables: mapping, unmapping, splitting. Reading is in read.c. */
#include "mm/p2m.h"

#include <arch/tlb.h>

#include "domain/domain.h"
#include "iommu/iommu.h"
#include "mm/frame.h"
#include "mm/heap.h"
#include "mm/lookup.h"
#include "vcpu/virt.h"

/* A domain's tables: so many, and as many again as twice its memory needs. */
#define TABLES_ALWAYS 64u

static uint64_t leaf_make(uint64_t mfn, unsigned level, enum p2m_type type)
{
    return virt->nested_leaf((mfn_t){mfn}, level, type) | entry_bits(type);
}

/* An entry at a level for a table of the next. */
static uint64_t table_make(const uint64_t *table, unsigned level)
{
    table_flush(table, PAGE_SIZE);
    return virt->nested_table(pool_mfn(table)) | (uint64_t)level << ENTRY_LEVEL_SHIFT;
}

/* A guest decides where its mappings lie, so it must not decide how many tables they take. */
static uint64_t *table_alloc(struct p2m *p2m)
{
    uint64_t most = TABLES_ALWAYS + p2m->domain->frames_max / (TABLE_ENTRIES / 2);

    if (p2m->pages >= most)
        return NULL;
    uint64_t *table = pool_alloc(0);
    if (table)
        p2m->pages++;
    return table;
}

static void table_free(struct p2m *p2m, uint64_t *table)
{
    p2m->pages--;
    pool_free(table, 0);
}

/* Unlike any other of any p2m: what was remembered under the last one is forgotten. */
static void generation_new(struct p2m *p2m, unsigned bucket)
{
    static uint64_t latest;

    __atomic_store_n(&p2m->generation[bucket], __atomic_add_fetch(&latest, 1, __ATOMIC_RELAXED),
                     __ATOMIC_RELEASE);
}

int p2m_init(struct p2m *p2m, struct domain *domain)
{
    *p2m = (struct p2m){.domain = domain};
    for (unsigned i = 0; i < P2M_BUCKETS; i++)
        generation_new(p2m, i);
    lock_init(&p2m->lock, LOCK_P2M);
    p2m->root = table_alloc(p2m);
    if (!p2m->root)
        return -XEN_ENOMEM;
    table_flush(p2m->root, PAGE_SIZE);
    return 0;
}

static bool has_reference(unsigned type)
{
    return type == P2M_RAM || type == P2M_GRANT || type == P2M_GRANT_RO;
}

/* Drops what a detached table holds, frames side by side at once, then the table. */
static void table_drop(struct p2m *p2m, uint64_t *table, unsigned level)
{
    uint64_t first = 0, count = 0;

    for (unsigned i = 0; i < TABLE_ENTRIES; i++) {
        uint64_t e = table[i];
        if (entry_type(e) == ENTRY_TABLE)
            table_drop(p2m, entry_table(e), level - 1);
        if (!has_reference(entry_type(e)))
            continue;
        if (count > 0 && entry_mfn(e, 0, level) != first + count) {
            frame_put_run((mfn_t){first}, count);
            count = 0;
        }
        first = count > 0 ? first : entry_mfn(e, 0, level);
        count += 1ull << 9 * level;
    }
    frame_put_run((mfn_t){first}, count);
    table_free(p2m, table);
}

void p2m_fini(struct p2m *p2m)
{
    lock_acquire(&p2m->lock);
    uint64_t *root = p2m->root;
    p2m->root = NULL;
    for (unsigned i = 0; i < P2M_BUCKETS; i++)
        generation_new(p2m, i);
    lock_release(&p2m->lock);
    if (!root)
        return;
    tlb_flush_p2m(p2m); /* nobody reads it any more */
    table_drop(p2m, root, P2M_TOP);
}

static bool table_is_empty(const uint64_t *table)
{
    for (unsigned i = 0; i < TABLE_ENTRIES; i++)
        if (table[i])
            return false;
    return true;
}

/* Down to the slot at a level, making tables on the way. */
static int slot_make(struct p2m *p2m, uint64_t gfn, unsigned level, uint64_t **slot)
{
    uint64_t *table = p2m->root;

    if (!table)
        return -XEN_EINVAL;
    for (unsigned at = P2M_TOP; at > level; at--) {
        uint64_t *s = &table[entry_index(gfn, at)];
        if (*s == 0) {
            uint64_t *new = table_alloc(p2m);
            if (!new)
                return -XEN_ENOMEM;
            table_write(s, table_make(new, at));
        } else if (entry_type(*s) != ENTRY_TABLE) {
            return -XEN_EEXIST;
        }
        table = entry_table(*s);
    }
    *slot = &table[entry_index(gfn, level)];
    return 0;
}

static int map_locked(struct p2m *p2m, uint64_t gfn, uint64_t leaf, unsigned level)
{
    uint64_t *slot, *old = NULL;
    int rc = slot_make(p2m, gfn, level, &slot);

    if (rc < 0)
        return rc;
    if (*slot && level == 0 && p2m_is_hole((enum p2m_type)entry_type(*slot))) {
        table_write(slot, leaf);
        generation_new(p2m, lookup_bucket(gfn));
        tlb_flush_p2m(p2m); /* the stand-in may not be read any more */
        return 0;
    }
    if (*slot) {
        /* A table whose pages have all gone gives way to a large page. */
        if (entry_type(*slot) != ENTRY_TABLE || !table_is_empty(entry_table(*slot)))
            return -XEN_EEXIST;
        old = entry_table(*slot);
    }
    table_write(slot, leaf);
    if (old) {
        tlb_flush_p2m(p2m);
        table_free(p2m, old);
    }
    return 0;
}

int p2m_map(struct p2m *p2m, gfn_t gfn, mfn_t mfn, unsigned order, enum p2m_type type)
{
    uint64_t count = 1ull << order;

    if ((order != 0 && order != FRAME_ORDER_2M && order != FRAME_ORDER_1G) ||
        (gfn.v & (count - 1)) || (mfn.v & (count - 1)))
        return -XEN_EINVAL;
    if (gfn.v >= p2m_gfn_limit() || count > p2m_gfn_limit() - gfn.v || type == P2M_EMPTY)
        return -XEN_EINVAL;
    LOCK_SCOPE(&p2m->lock);
    int rc = map_locked(p2m, gfn.v, leaf_make(mfn.v, order / 9, type), order / 9);
    if (rc == 0 && type == P2M_RAM && gfn.v + count > p2m->ram_end)
        p2m->ram_end = gfn.v + count;
    if (p2m->iommus & P2M_IOMMU_ABSENT)
        iommu_flush(p2m);
    return rc;
}

void p2m_prune(struct p2m *p2m, gfn_t gfn)
{
    LOCK_SCOPE(&p2m->lock);
    for (unsigned leaf = 1; leaf <= P2M_TOP && p2m->root; leaf++) {
        uint64_t *table = p2m->root;
        uint64_t *slot = NULL;

        for (unsigned level = P2M_TOP; level >= leaf; level--) {
            slot = &table[entry_index(gfn.v, level)];
            if (entry_type(*slot) != ENTRY_TABLE)
                return;
            table = entry_table(*slot);
        }
        if (!table_is_empty(table))
            return;
        table_write(slot, 0);
        tlb_flush_p2m(p2m);
        table_free(p2m, table);
    }
}

/* Replaces a large entry by a table that maps the same. */
static int split(struct p2m *p2m, uint64_t *slot, unsigned level)
{
    uint64_t e = *slot, first = entry_mfn(e, 0, level);
    uint64_t *table = table_alloc(p2m);

    if (!table)
        return -XEN_ENOMEM;
    for (unsigned i = 0; i < TABLE_ENTRIES; i++)
        table[i] = leaf_make(first + ((uint64_t)i << 9 * (level - 1)), level - 1,
                             (enum p2m_type)entry_type(e));
    table_write(slot, table_make(table, level));
    return 0;
}

/* A slot that maps a gfn by itself, by a split if need be; NULL: nothing does, or another type. */
static int slot_find(struct p2m *p2m, uint64_t gfn, uint32_t types, uint64_t **slot)
{
    uint64_t *table = gfn < p2m_gfn_limit() ? p2m->root : NULL;

    *slot = NULL;
    for (unsigned level = P2M_TOP; table; level--) {
        uint64_t *s = &table[entry_index(gfn, level)];
        if (*s == 0)
            break;
        if (entry_type(*s) != ENTRY_TABLE) {
            if (!(types >> entry_type(*s) & 1))
                return -XEN_EPERM;
            if (level == 0) {
                *slot = s;
                return 0;
            }
            if (split(p2m, s, level) < 0)
                return -XEN_ENOMEM;
        }
        table = entry_table(*s);
    }
    return types >> P2M_EMPTY & 1 ? 0 : -XEN_EPERM;
}

int p2m_exchange(struct p2m *p2m, gfn_t gfn, uint32_t types, mfn_t by, mfn_t *mfn,
                 enum p2m_type *type)
{
    uint64_t *slot = NULL;

    *mfn = (mfn_t){FRAME_NONE};
    *type = P2M_EMPTY;
    LOCK_SCOPE(&p2m->lock);
    int rc = slot_find(p2m, gfn.v, types, &slot);
    if (rc < 0 || !slot)
        return rc;
    *mfn = lookup_mfn(*slot);
    *type = (enum p2m_type)entry_type(*slot);
    table_write(slot, mfn_is_none(by) ? 0 : leaf_make(by.v, 0, *type));
    generation_new(p2m, lookup_bucket(gfn.v));
    return 0;
}
