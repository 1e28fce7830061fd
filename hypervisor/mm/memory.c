/* Puts plan, page tables, frame table and pool together. */
#include "mm/memory.h"

#include <arch/image.h>

#include "console/console.h"
#include "mm/lookup.h"
#include "mm/paging.h"
#include "mm/plan.h"
#include "mm/pool.h"
#include "mm/table.h"
#include "util/string.h"

/* Room for a Linux whose frames are the machine's. */
#define LOW_FRAMES (512ull << (20 - PAGE_SHIFT))

static struct plan plan;
static struct lookup lookups[LOOKUP_SLOTS]; /* of the first CPU */

static void add(struct memory_range r, enum frame_kind kind)
{
    if (r.start < r.end)
        frame_add((mfn_t){r.start >> PAGE_SHIFT}, (r.end - r.start) >> PAGE_SHIFT, kind);
}

static void *at(uint64_t address)
{
    return (void *)(uintptr_t)address; /* NOLINT(performance-no-int-to-ptr) */
}

/* To its place; what lies behind it in its last page is not the module's. */
static void module_move(struct memory_range *module)
{
    uint64_t by = plan.module.start - plan.module_from;

    if (by)
        memcpy(at(plan.module.start), at(plan.module_from), plan.module.end - plan.module.start);
    module->start += by;
    module->end += by;
    memset(at(module->end), 0, -module->end & PAGE_MASK);
}

int memory_init(struct handoff *h)
{
    const struct plan_input in = {
        .range = h->range,
        .is_ram = h->is_ram,
        .range_count = h->range_count,
        .image = {IMAGE_LOAD, (uintptr_t)image_end - IMAGE_VIRT},
        .module = h->module,
        .reach = paging_first_reach(),
    };

    if (h->overflow)
        console_log("memory: the map is too long, its end is not used");
    int rc = plan_make(&plan, &in);
    if (rc < 0) {
        console_log("memory: %lu KiB of RAM are too little", plan.ram >> 10);
        return rc;
    }
    module_move(&h->module);
    uint64_t taken = paging_init(&plan);
    paging_window_init();
    cpu_this()->lookups = lookups;
    frame_init((void *)PAGING_FRAMES, plan.frames, LOW_FRAMES);
    add(plan.image, FRAME_CORE);
    add(plan.pool, FRAME_CORE);
    add(plan.module, FRAME_BUNDLE);
    for (unsigned i = 0; i < plan.free_count; i++)
        add(plan.free[i], FRAME_FREE);
    pool_init(&(struct pool_place){(void *)PAGING_POOL, plan.pool.start >> PAGE_SHIFT,
                                   (plan.pool.end - plan.pool.start) >> PAGE_SHIFT},
              taken, plan.image.end - plan.image.start);
    return 0;
}
