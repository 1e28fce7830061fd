/* Copies a domain's life page and the end of its stack. */
#include "evidence.h"

#include <stdlib.h>
#include <string.h>

#include <abi/addr.h>
#include <abi/bulkhead.h>
#include <abi/layout.h>
#include <build/life.h>
#include <hcall.h>
#include <rt/clock.h>

#include "supervise.h"

bool evidence_is_halt(domid_t domid)
{
    struct life_page page;

    return life_read(domid, &page, offsetof(struct life_page, end.vector)) >= 0 &&
           page.magic == LIFE_MAGIC && page.end.kind == LIFE_GOES_ON;
}

/* From the stack pointer up, page by page as far as there are any: a made-up one gives nothing. */
static void read_stack(struct evidence *v)
{
    uint64_t base = v->page.end.registers[LIFE_RSP] & ~(uint64_t)7;

    v->stack_base = base;
    while (base < LAYOUT_LOW_END && v->stack_len < EVIDENCE_STACK) {
        uint64_t at = base + v->stack_len;
        uint64_t step = PAGE_SIZE - (at & PAGE_MASK);
        struct bulkhead_memory_copy copy = {.domid = v->domid,
                                            .flags = BULKHEAD_COPY_READ,
                                            .gpa = at,
                                            .buffer =
                                                (uint64_t)(uintptr_t)(v->stack + v->stack_len)};

        if (step > EVIDENCE_STACK - v->stack_len)
            step = EVIDENCE_STACK - v->stack_len;
        copy.len = step;
        if (hcall_memory_copy(&copy) < 0)
            return;
        v->stack_len += step;
    }
}

static struct evidence *begin(struct entry *e, unsigned life, const char *what)
{
    struct evidence *v = calloc(1, sizeof(*v));

    evidence_free(e->evidence);
    e->evidence = v;
    if (!v)
        return NULL;
    v->domid = e->domid;
    v->life = life;
    v->what = what;
    v->kernel = strdup(entry_image(e));
    v->started = e->started;
    v->died = clock_now();
    return v;
}

void evidence_take(struct entry *e, const struct life_page *page, unsigned life, const char *what)
{
    struct evidence *v = begin(e, life, what);

    if (!v || !page)
        return;
    v->page = *page;
    v->has_page = page->magic == LIFE_MAGIC;
    /* When it began to serve, and died, by its own word. */
    if (page->when[LIFE_SERVES] < page->when[LIFE_DIED] && page->when[LIFE_DIED] < v->died) {
        v->started = page->when[LIFE_SERVES];
        v->died = page->when[LIFE_DIED];
    }
}

void evidence_keep(struct entry *e, const char *what)
{
    struct evidence *v = begin(e, e->lives, what);

    if (!v)
        return;
    if (!config_is_image(e->config))
        return;
    v->has_page =
        life_read(e->domid, &v->page, sizeof(v->page)) >= 0 && v->page.magic == LIFE_MAGIC;
    if (v->has_page && (v->page.end.kind == LIFE_EXCEPTION || v->page.end.kind == LIFE_WORD))
        read_stack(v);
}

void evidence_free(struct evidence *e)
{
    if (e)
        free(e->kernel);
    free(e);
}
