/* The domain's side of its life page. No C library: faults are told by it too. */
#include <abi/layout.h>

#include <rt/clock.h>
#include <rt/life.h>

#include "cpu.h"
#include "internal.h"

/* NULL: nobody gave this domain one. */
static struct life_page *page;

/* Where no page is, all bits read as ones. */
void life_init(void)
{
    struct life_page *p = (void *)LAYOUT_LIFE_PAGE; /* NOLINT(performance-no-int-to-ptr) */

    if (*(volatile uint32_t *)&p->magic == LIFE_MAGIC)
        page = p;
}

void life_begin(void)
{
    page = (void *)LAYOUT_LIFE_PAGE; /* NOLINT(performance-no-int-to-ptr) */
    *page = (struct life_page){.magic = LIFE_MAGIC};
}

bool life_take(struct life_page *last)
{
    if (!page)
        return false;
    *last = *page;
    life_begin();
    return true;
}

uint32_t life_port(void)
{
    return page ? page->port : 0;
}

void life_stamp(enum life_stamp which)
{
    if (page)
        page->when[which] = clock_now();
}

void life_beat(void)
{
    if (page)
        __atomic_store_n(&page->beat, page->beat + 1, __ATOMIC_RELAXED);
}

uint32_t life_order_port(enum life_order order)
{
    return page ? page->orders[order] : 0;
}

void life_obeyed(void)
{
    __atomic_store_n(&page->obeyed, page->obeyed + 1, __ATOMIC_RELAXED);
}

void life_log(const char *text, size_t len)
{
    if (!page || page->end.kind != LIFE_GOES_ON)
        return; /* the record says it better */
    for (size_t i = 0; i < len; i++)
        page->log[page->logged++ % LIFE_LOG] = text[i];
}

/* The kind comes last: a reader sees a record that is whole, or none. */
static void set_kind(uint32_t kind)
{
    if (event_shared)
        life_stamp(LIFE_DIED);
    __atomic_store_n(&page->end.kind, kind, __ATOMIC_RELEASE);
}

bool life_exception(uint32_t vector, uint64_t error, uint64_t flags,
                    const uint64_t registers[LIFE_REGISTERS])
{
    if (!page || page->end.kind != LIFE_GOES_ON)
        return false;
    page->end.vector = vector;
    page->end.error = error;
    page->end.address = cr2_read();
    page->end.flags = flags;
    for (unsigned i = 0; i < LIFE_REGISTERS; i++)
        page->end.registers[i] = registers[i];
    set_kind(LIFE_EXCEPTION);
    return true;
}

void life_word(uint32_t kind, const char *why, uint64_t rip, uint64_t rsp, uint64_t rbp)
{
    if (!page || page->end.kind != LIFE_GOES_ON)
        return;
    for (unsigned i = 0; i + 1 < LIFE_WHY && why[i] != 0; i++)
        page->end.why[i] = why[i];
    page->end.registers[LIFE_RIP] = rip;
    page->end.registers[LIFE_RSP] = rsp;
    page->end.registers[LIFE_RBP] = rbp;
    set_kind(kind);
}
