/* The pretend hypervisor: domains, pages, time, the log. */
#define _GNU_SOURCE /* memfd_create */
#include "fake_hv.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <hcall.h>
#include <rt/clock.h>
#include <rt/log.h>
#include <rt/memory.h>
#include <rt/start.h>

#include "fake_state.h"

struct fake fake = {.file = -1};

static void need(bool ok, const char *what)
{
    if (!ok) {
        perror(what);
        abort();
    }
}

void fake_map_at(uint64_t addr, int page, bool readonly)
{
    void *at = (void *)(uintptr_t)addr;
    void *got;

    if (page < 0)
        got = mmap(at, PAGE_SIZE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
    else
        got = mmap(at, PAGE_SIZE, readonly ? PROT_READ : PROT_READ | PROT_WRITE,
                   MAP_SHARED | MAP_FIXED, fake.file, (off_t)page * PAGE_SIZE);
    need(got == at, "fake page");
}

static void open_memory(void)
{
    fake.file = memfd_create("fake-hv", 0);
    need(fake.file >= 0, "memfd");
    need(ftruncate(fake.file, (off_t)FAKE_PAGES * PAGE_SIZE) == 0, "memfd size");
    need(mmap((void *)FAKE_BASE, (size_t)FAKE_PAGES * PAGE_SIZE, PROT_READ | PROT_WRITE,
              MAP_SHARED | MAP_FIXED_NOREPLACE, fake.file, 0) == (void *)FAKE_BASE,
         "fake pages");
    need(mmap((void *)FAKE_SPACE_BASE, (size_t)FAKE_SPACE_PAGES * PAGE_SIZE, PROT_NONE,
              MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0) == (void *)FAKE_SPACE_BASE,
         "fake space");
}

void fake_reset(void)
{
    if (fake.file < 0)
        open_memory();
    for (unsigned i = 0; i < FAKE_MAPPINGS; i++)
        if (fake.mappings[i].used)
            fake_map_at(fake.mappings[i].addr, -1, false);

    int file = fake.file;

    memset(&fake, 0, sizeof(fake));
    fake.file = file;
    fake.now = 1000000000;
    for (domid_t d = 0; d < FAKE_DOMAINS; d++) {
        fake.current = d;
        fake.domains[d].grants = memory_pages_alloc(FAKE_TABLE_PAGES);
    }
    fake.current = 0;
}

domid_t fake_enter(domid_t domid)
{
    domid_t before = fake.current;

    need(domid < FAKE_DOMAINS, "fake domain");
    fake.current = domid;
    return before;
}

domid_t fake_current(void)
{
    return fake.current;
}

domid_t start_domid(void)
{
    return fake.current;
}

void fake_idle(bool (*idle)(void *context), void *context)
{
    fake.idle = idle;
    fake.idle_context = context;
}

void fake_destroy(domid_t domid)
{
    fake_mappings_drop(domid);
    fake_ports_drop(domid, 0, 0);
}

/* The builder's: its ring pages and its grant table lie where no allocator is. */
static bool page_is_fixed(const struct domain *d, unsigned page)
{
    uint64_t frame = (FAKE_BASE >> PAGE_SHIFT) + page;
    uint64_t table = (uintptr_t)d->grants >> PAGE_SHIFT;

    return frame == d->params[HVM_PARAM_STORE_PFN] || frame == d->params[HVM_PARAM_CONSOLE_PFN] ||
           (frame >= table && frame < table + FAKE_TABLE_PAGES);
}

void fake_domain_reset(domid_t domid)
{
    struct domain *d = &fake.domains[domid];

    fake_ports_drop(domid, (evtchn_port_t)d->params[HVM_PARAM_STORE_EVTCHN],
                    (evtchn_port_t)d->params[HVM_PARAM_CONSOLE_EVTCHN]);
    fake_mappings_drop(domid);
    d->last = 0;
    for (unsigned i = 0; i < FAKE_PAGES; i++)
        if (fake.owner[i] == domid + 1 && !page_is_fixed(d, i))
            fake.owner[i] = 0;
    for (unsigned i = 0; i < FAKE_SPACE_PAGES; i++)
        if (fake.space[i] == domid + 1)
            fake.space[i] = 0;
}

void fake_effect(void)
{
    struct domain *d = fake_self();

    d->effects++;
    if (d->stop && d->effects == d->stop_at) {
        jmp_buf *where = d->stop;

        d->stop = NULL;
        longjmp(*where, 1);
    }
}

unsigned fake_effects(domid_t domid)
{
    return fake.domains[domid].effects;
}

void fake_stop_at(domid_t domid, unsigned n, jmp_buf *where)
{
    fake.domains[domid].stop_at = n;
    fake.domains[domid].stop = where;
}

void fake_param(domid_t domid, unsigned index, uint64_t value)
{
    fake.domains[domid].params[index] = value;
}

int hcall_hvm_get_param(struct xen_hvm_param *arg)
{
    domid_t domid = fake_resolve(arg->domid);

    if (domid >= FAKE_DOMAINS || arg->index >= HVM_NR_PARAMS)
        return -XEN_EINVAL;
    arg->value = fake.domains[domid].params[arg->index];
    return 0;
}

int hcall_hvm_set_param(struct xen_hvm_param *arg)
{
    domid_t domid = fake_resolve(arg->domid);

    if (domid >= FAKE_DOMAINS || arg->index >= HVM_NR_PARAMS)
        return -XEN_EINVAL;
    fake.domains[domid].params[arg->index] = arg->value;
    return 0;
}

/* ---- pages ----------------------------------------------------------------------------------- */

int fake_page_of(uint64_t addr)
{
    if (addr < FAKE_BASE || addr >= FAKE_BASE + (uint64_t)FAKE_PAGES * PAGE_SIZE)
        return -1;
    return (int)((addr - FAKE_BASE) / PAGE_SIZE);
}

/* Marks count neighbours of a map as `mark`; the first one's number, -1 if there are not so many.
 */
static int take(uint8_t *map, size_t size, size_t count, uint8_t mark)
{
    size_t run = 0;

    for (size_t i = 0; i < size; i++) {
        run = map[i] ? 0 : run + 1;
        if (run == count && count > 0) {
            memset(&map[i + 1 - count], mark, count);
            return (int)(i + 1 - count);
        }
    }
    return -1;
}

static void *pages_take(size_t count, int content)
{
    int first = take(fake.owner, FAKE_PAGES, count, (uint8_t)(fake.current + 1));

    if (first < 0)
        return NULL;
    return memset((void *)(FAKE_BASE + (uintptr_t)first * PAGE_SIZE), content, count * PAGE_SIZE);
}

void *memory_pages_alloc(size_t count)
{
    return pages_take(count, 0);
}

void *memory_buffers_alloc(size_t count)
{
    return pages_take(count, 0xa5);
}

void memory_pages_free(void *pages, size_t count)
{
    int first = fake_page_of((uintptr_t)pages);

    need(first >= 0 && fake.owner[first] == fake.current + 1, "fake pages freed by their owner");
    memset(&fake.owner[first], 0, count);
}

void *memory_space_alloc(size_t count)
{
    int first = take(fake.space, FAKE_SPACE_PAGES, count, (uint8_t)(fake.current + 1));

    return first < 0 ? NULL : (void *)(FAKE_SPACE_BASE + (uintptr_t)first * PAGE_SIZE);
}

void memory_space_free(void *pages, size_t count)
{
    size_t first = ((uintptr_t)pages - FAKE_SPACE_BASE) / PAGE_SIZE;

    need((uintptr_t)pages >= FAKE_SPACE_BASE && first + count <= FAKE_SPACE_PAGES &&
             fake.space[first] == fake.current + 1,
         "fake space freed by its owner");
    memset(&fake.space[first], 0, count);
}

void *memory_survivor(size_t len)
{
    return len <= LAYOUT_SURVIVOR_SIZE ? fake.survivors[fake.current] : NULL;
}

uint64_t memory_dma_address(const void *p)
{
    return (uintptr_t)p;
}

static unsigned count_of(const uint8_t *map, size_t size, domid_t domid)
{
    unsigned count = 0;

    for (size_t i = 0; i < size; i++)
        count += map[i] == domid + 1;
    return count;
}

unsigned fake_pages(domid_t domid)
{
    return count_of(fake.owner, FAKE_PAGES, domid);
}

unsigned fake_space(domid_t domid)
{
    return count_of(fake.space, FAKE_SPACE_PAGES, domid);
}

/* ---- time and log ---------------------------------------------------------------------------- */

uint64_t clock_now(void)
{
    return fake.now;
}

uint64_t clock_wall(void)
{
    return fake.now + 1700000000ull * 1000000000ull;
}

void fake_clock_advance(uint64_t ns)
{
    fake.now += ns;
}

void log_hold(bool on)
{
    (void)on;
}

void log_line(const char *format, ...)
{
    va_list args;

    va_start(args, format);
    (void)vsnprintf(fake.log_last, sizeof(fake.log_last), format, args);
    va_end(args);
    fake.log_count++;
}

unsigned fake_log_count(void)
{
    return fake.log_count;
}

const char *fake_log_last(void)
{
    return fake.log_last;
}
