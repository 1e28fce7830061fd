/* The pretend hypervisor's grant tables, version 1. */
#include "fake_hv.h"

#include <string.h>

#include <abi/memory.h>
#include <hcall.h>
#include <rt/memory.h>

#include "fake_state.h"

struct grant_entry_v1 *fake_grant_table(domid_t domid)
{
    return fake.domains[domid].grants;
}

void fake_grant(domid_t domid, grant_ref_t ref, domid_t peer, const void *page, bool readonly)
{
    struct grant_entry_v1 *entry = &fake.domains[domid].grants[ref];

    entry->domid = peer;
    entry->frame = (uint32_t)memory_gfn(page);
    entry->flags = readonly ? GTF_permit_access | GTF_readonly : GTF_permit_access;
}

int hcall_grant_seed(struct bulkhead_grant_seed *arg)
{
    domid_t domid = fake_resolve(arg->domid);

    if (domid >= FAKE_DOMAINS || arg->ref >= FAKE_GRANTS)
        return -XEN_EINVAL;
    fake_effect();
    void *page = (void *)(arg->gfn << PAGE_SHIFT); /* NOLINT(performance-no-int-to-ptr) */

    fake_grant(domid, arg->ref, arg->peer, page, false);
    return 0;
}

/* The page behind a reference, if the current domain may use it so; else a negative GNTST. */
static int page_granted(domid_t owner, grant_ref_t ref, bool readonly)
{
    if (owner >= FAKE_DOMAINS)
        return GNTST_bad_domain;
    if (ref >= FAKE_GRANTS)
        return GNTST_bad_gntref;

    const struct grant_entry_v1 *entry = &fake.domains[owner].grants[ref];

    if ((entry->flags & GTF_type_mask) != GTF_permit_access || entry->domid != fake.current)
        return GNTST_bad_gntref;
    if (!readonly && (entry->flags & GTF_readonly))
        return GNTST_bad_gntref;

    int page = fake_page_of((uint64_t)entry->frame << PAGE_SHIFT);

    return page >= 0 && fake.owner[page] == owner + 1 ? page : GNTST_bad_page;
}

/* The entry's marks say who uses it, as the owner sees them. */
static void mark(domid_t owner, grant_ref_t ref)
{
    uint16_t marks = 0;

    for (unsigned i = 0; i < fake.mapping_limit; i++) {
        const struct mapping *m = &fake.mappings[i];

        if (m->used && m->owner == owner && m->ref == ref)
            marks |= m->readonly ? GTF_reading : GTF_reading | GTF_writing;
    }

    struct grant_entry_v1 *entry = &fake.domains[owner].grants[ref];

    entry->flags = (uint16_t)((entry->flags & ~(GTF_reading | GTF_writing)) | marks);
}

static void map_one(struct gnttab_map_grant_ref *op)
{
    bool readonly = (op->flags & GNTMAP_readonly) != 0;
    domid_t owner = fake_resolve(op->dom);
    int page = page_granted(owner, op->ref, readonly);
    uint64_t space = (op->host_addr - FAKE_SPACE_BASE) / PAGE_SIZE;

    if (page < 0) {
        op->status = (int16_t)page;
        return;
    }
    if (op->host_addr & PAGE_MASK || op->host_addr < FAKE_SPACE_BASE || space >= FAKE_SPACE_PAGES ||
        fake.space[space] != fake.current + 1) {
        op->status = GNTST_bad_virt_addr;
        return;
    }
    for (unsigned i = 0; i < FAKE_MAPPINGS; i++) {
        if (fake.mappings[i].used)
            continue;
        if (i >= fake.mapping_limit)
            fake.mapping_limit = i + 1;
        fake.mappings[i] =
            (struct mapping){true, readonly, fake.current, owner, op->ref, op->host_addr, page};
        fake_map_at(op->host_addr, page, readonly);
        mark(owner, op->ref);
        op->handle = i;
        op->dev_bus_addr = FAKE_BASE + (uint64_t)page * PAGE_SIZE;
        op->status = GNTST_okay;
        return;
    }
    op->status = GNTST_no_device_space;
}

int hcall_grant_map(struct gnttab_map_grant_ref *arg, unsigned count)
{
    fake_effect();
    for (unsigned i = 0; i < count; i++)
        map_one(&arg[i]);
    return 0;
}

static void unmap(struct mapping *m)
{
    m->used = false;
    fake_map_at(m->addr, -1, false);
    mark(m->owner, m->ref);
}

int hcall_grant_unmap(struct gnttab_unmap_grant_ref *arg, unsigned count)
{
    fake_effect();
    for (unsigned i = 0; i < count; i++) {
        struct mapping *m = arg[i].handle < FAKE_MAPPINGS ? &fake.mappings[arg[i].handle] : NULL;

        if (!m || !m->used || m->holder != fake.current) {
            arg[i].status = GNTST_bad_handle;
        } else if (m->addr != arg[i].host_addr) {
            arg[i].status = GNTST_bad_virt_addr;
        } else {
            unmap(m);
            arg[i].status = GNTST_okay;
        }
    }
    return 0;
}

/* One side of a copy: its page, or a negative GNTST. */
static int copy_side(const struct gnttab_copy *op, bool source)
{
    bool by_ref = op->flags & (source ? GNTCOPY_source_gref : GNTCOPY_dest_gref);
    domid_t domid = fake_resolve(source ? op->source.domid : op->dest.domid);
    uint16_t offset = source ? op->source.offset : op->dest.offset;

    if (offset + (uint32_t)op->len > PAGE_SIZE)
        return GNTST_bad_copy_arg;
    if (by_ref)
        return page_granted(domid, source ? op->source.u.ref : op->dest.u.ref, source);
    if (domid != fake.current)
        return GNTST_permission_denied;

    int page = fake_page_of((source ? op->source.u.gmfn : op->dest.u.gmfn) << PAGE_SHIFT);

    return page >= 0 && fake.owner[page] == domid + 1 ? page : GNTST_bad_page;
}

int hcall_grant_copy(struct gnttab_copy *arg, unsigned count)
{
    fake_effect();
    for (unsigned i = 0; i < count; i++) {
        int from = copy_side(&arg[i], true);
        int to = from < 0 ? from : copy_side(&arg[i], false);

        arg[i].status = (int16_t)(to < 0 ? to : GNTST_okay);
        if (to < 0)
            continue;
        memmove((uint8_t *)FAKE_BASE + (size_t)to * PAGE_SIZE + arg[i].dest.offset,
                (uint8_t *)FAKE_BASE + (size_t)from * PAGE_SIZE + arg[i].source.offset, arg[i].len);
    }
    return 0;
}

int hcall_grant_query_size(struct gnttab_query_size *arg, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        arg[i].nr_frames = FAKE_TABLE_PAGES;
        arg[i].max_nr_frames = FAKE_TABLE_PAGES;
        arg[i].status = GNTST_okay;
    }
    return 0;
}

int hcall_grant_get_version(struct gnttab_get_version *arg, unsigned count)
{
    for (unsigned i = 0; i < count; i++)
        arg[i].version = 1;
    return 0;
}

int hcall_grant_set_version(struct gnttab_set_version *arg, unsigned count)
{
    for (unsigned i = 0; i < count; i++)
        if (arg[i].version != 1)
            return -XEN_EINVAL;
    return 0;
}

/* Only so that a domain can place its grant table: frame idx at a page of its space. */
int hcall_memory_add_to_physmap(struct xen_add_to_physmap *arg)
{
    uint64_t at = arg->gpfn << PAGE_SHIFT;

    if (arg->space != XENMAPSPACE_grant_table || arg->idx >= FAKE_TABLE_PAGES)
        return -XEN_EINVAL;
    fake_map_at(at, fake_page_of((uintptr_t)fake_self()->grants) + (int)arg->idx, false);
    return 0;
}

unsigned fake_grants_mapped(domid_t owner)
{
    unsigned count = 0;

    for (unsigned i = 0; i < fake.mapping_limit; i++)
        count += fake.mappings[i].used && fake.mappings[i].owner == owner;
    return count;
}

unsigned fake_mappings(domid_t holder)
{
    unsigned count = 0;

    for (unsigned i = 0; i < fake.mapping_limit; i++)
        count += fake.mappings[i].used && fake.mappings[i].holder == holder;
    return count;
}

bool fake_device_reaches(domid_t domid, uint64_t dma, bool write)
{
    int page = fake_page_of(dma);

    if (page >= 0 && fake.owner[page] == domid + 1)
        return true;
    for (unsigned i = 0; page >= 0 && i < fake.mapping_limit; i++) {
        const struct mapping *m = &fake.mappings[i];

        if (m->used && m->holder == domid && m->page == page && !(write && m->readonly))
            return true;
    }
    return false;
}

void fake_mappings_drop(domid_t domid)
{
    for (unsigned i = 0; i < fake.mapping_limit; i++)
        if (fake.mappings[i].used && fake.mappings[i].holder == domid)
            unmap(&fake.mappings[i]);
}
