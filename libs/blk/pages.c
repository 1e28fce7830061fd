/* Grant maps of one front end: batches, and the cache of persistent grants. */
#include "blk_pages.h"

#include <string.h>

#include <hcall.h>

enum { PAGE_FREE, PAGE_MAPPING, PAGE_MAPPED, PAGE_FAILED, PAGE_LEAVING, PAGE_LOST };

static uint16_t *bucket(struct blk_pages *p, grant_ref_t ref)
{
    return &p->buckets[ref % BLK_PAGES_BUCKETS];
}

static void free_push(struct blk_pages *p, uint16_t index)
{
    p->pages[index] = (struct blk_page){.next = p->free_first, .state = PAGE_FREE};
    p->free_first = index;
    p->free_count++;
}

static void idle_append(struct blk_pages *p, uint16_t index)
{
    struct blk_page *page = &p->pages[index];

    page->next = BLK_PAGES_NONE;
    page->prev = p->idle_last;
    if (p->idle_last == BLK_PAGES_NONE)
        p->idle_first = index;
    else
        p->pages[p->idle_last].next = index;
    p->idle_last = index;
    p->idle_count++;
}

static void idle_unlink(struct blk_pages *p, uint16_t index)
{
    const struct blk_page *page = &p->pages[index];

    if (page->prev == BLK_PAGES_NONE)
        p->idle_first = page->next;
    else
        p->pages[page->prev].next = page->next;
    if (page->next == BLK_PAGES_NONE)
        p->idle_last = page->prev;
    else
        p->pages[page->next].prev = page->prev;
    p->idle_count--;
}

static void cache_insert(struct blk_pages *p, uint16_t index)
{
    uint16_t *head = bucket(p, p->pages[index].ref);

    p->pages[index].chain = *head;
    *head = index;
}

static void cache_remove(struct blk_pages *p, uint16_t index)
{
    uint16_t *at = bucket(p, p->pages[index].ref);

    while (*at != index)
        at = &p->pages[*at].chain;
    *at = p->pages[index].chain;
}

static uint16_t cache_find(struct blk_pages *p, grant_ref_t ref)
{
    uint16_t index = *bucket(p, ref);

    while (index != BLK_PAGES_NONE && p->pages[index].ref != ref)
        index = p->pages[index].chain;
    return index;
}

static void unmap_queue(struct blk_pages *p, struct blk_batch *b, uint16_t index)
{
    struct blk_page *page = &p->pages[index];

    if (blk_batch_room(b->unmap_count) == 0)
        blk_pages_unmap(p, b);
    page->state = PAGE_LEAVING;
    b->unmap_page[b->unmap_count] = index;
    b->unmap[b->unmap_count++] = (struct gnttab_unmap_grant_ref){
        .host_addr = (uintptr_t)blk_pages_address(p, index),
        .dev_bus_addr = page->dma,
        .handle = page->handle,
    };
}

static void evict_oldest(struct blk_pages *p, struct blk_batch *b)
{
    uint16_t index = p->idle_first;

    idle_unlink(p, index);
    cache_remove(p, index);
    unmap_queue(p, b, index);
    p->evictions++;
}

void blk_pages_init(struct blk_pages *p, void *space, domid_t peer, bool persistent)
{
    memset(p, 0, sizeof(*p));
    p->space = space;
    p->peer = peer;
    p->persistent = persistent;
    p->free_first = p->idle_first = p->idle_last = BLK_PAGES_NONE;
    for (uint32_t i = 0; i < BLK_PAGES_BUCKETS; i++)
        p->buckets[i] = BLK_PAGES_NONE;
    for (uint16_t i = BLK_PAGES_MAX; i-- > 0;)
        free_push(p, i);
}

void blk_pages_fini(struct blk_pages *p, struct blk_batch *b)
{
    while (p->idle_first != BLK_PAGES_NONE)
        evict_oldest(p, b);
    blk_pages_unmap(p, b);
}

bool blk_pages_reserve(struct blk_pages *p, struct blk_batch *b, uint32_t count)
{
    uint32_t need = p->reserved + count;

    if (need > p->free_count + p->idle_count)
        return false;
    if (need > p->free_count) {
        /* A few more than needed, so that the call is not made for every request. */
        uint32_t drop = need - p->free_count + 32;

        for (; drop > 0 && p->idle_first != BLK_PAGES_NONE; drop--)
            evict_oldest(p, b);
        blk_pages_unmap(p, b);
        if (need > p->free_count)
            return false;
    }
    p->reserved = need;
    return true;
}

void blk_pages_release(struct blk_pages *p, uint32_t count)
{
    p->reserved -= count;
}

uint16_t blk_pages_get(struct blk_pages *p, struct blk_batch *b, grant_ref_t ref, bool readonly)
{
    uint16_t index = p->persistent ? cache_find(p, ref) : BLK_PAGES_NONE;
    uint32_t flags = GNTMAP_host_map | GNTMAP_device_map;

    p->reserved--;
    if (index != BLK_PAGES_NONE) {
        if (p->pages[index].users++ == 0)
            idle_unlink(p, index);
        return index;
    }
    if (blk_batch_room(b->map_count) == 0)
        blk_pages_map(p, b);
    index = p->free_first;
    p->free_first = p->pages[index].next;
    p->free_count--;
    p->pages[index] = (struct blk_page){.ref = ref, .users = 1, .state = PAGE_MAPPING};
    /* A cached page serves reads and writes, so it is mapped for both. */
    if (p->persistent)
        cache_insert(p, index);
    else if (readonly)
        flags |= GNTMAP_readonly;
    b->map_page[b->map_count] = index;
    b->map[b->map_count++] = (struct gnttab_map_grant_ref){
        .host_addr = (uintptr_t)blk_pages_address(p, index),
        .flags = flags,
        .ref = ref,
        .dom = p->peer,
    };
    return index;
}

void blk_pages_put(struct blk_pages *p, struct blk_batch *b, uint16_t index)
{
    struct blk_page *page = &p->pages[index];

    if (--page->users > 0)
        return;
    if (page->state == PAGE_MAPPED && p->persistent) {
        idle_append(p, index);
        return;
    }
    if (p->persistent)
        cache_remove(p, index);
    if (page->state == PAGE_MAPPED)
        unmap_queue(p, b, index);
    else
        free_push(p, index);
}

void blk_pages_map(struct blk_pages *p, struct blk_batch *b)
{
    if (b->map_count == 0)
        return;
    int rc = hcall_grant_map(b->map, b->map_count);

    p->map_calls++;
    p->maps += b->map_count;
    for (uint32_t i = 0; i < b->map_count; i++) {
        struct blk_page *page = &p->pages[b->map_page[i]];
        bool good = rc >= 0 && b->map[i].status == GNTST_okay;

        page->state = good ? PAGE_MAPPED : PAGE_FAILED;
        page->handle = b->map[i].handle;
        page->dma = b->map[i].dev_bus_addr;
    }
    b->map_count = 0;
}

void blk_pages_unmap(struct blk_pages *p, struct blk_batch *b)
{
    if (b->unmap_count == 0)
        return;
    int rc = hcall_grant_unmap(b->unmap, b->unmap_count);

    p->unmap_calls++;
    for (uint32_t i = 0; i < b->unmap_count; i++) {
        if (rc >= 0 && b->unmap[i].status == GNTST_okay) {
            free_push(p, b->unmap_page[i]);
            continue;
        }
        /* The address may still be mapped: never use it again. */
        p->pages[b->unmap_page[i]].state = PAGE_LOST;
        p->unmap_failures++;
    }
    b->unmap_count = 0;
}

bool blk_pages_is_mapped(const struct blk_pages *p, uint16_t index)
{
    return p->pages[index].state == PAGE_MAPPED;
}
