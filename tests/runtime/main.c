/*
 * The runtime, tested from inside a domain: the same test main as on the host,
 * with its lines on the core's console. As control domain it ends the host.
 */
#include <check.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <abi/memory.h>
#include <hcall.h>
#include <rt/clock.h>
#include <rt/event.h>
#include <rt/fault.h>
#include <rt/memory.h>
#include <rt/start.h>

#define MS 1000000ull

static void end_host(void)
{
    struct bulkhead_host_shutdown arg = {.action = BULKHEAD_HOST_POWEROFF, .status = 0};

    if (start_domid() == 0)
        (void)hcall_host_shutdown(&arg);
}

__attribute__((constructor)) static void at_end(void)
{
    (void)atexit(end_host);
}

/* ---- the C library's side ------------------------------------------------------------------- */

static _Thread_local int counter = 7;

TEST(thread_local_data_is_there)
{
    EXPECT(counter++ == 7);
    EXPECT(counter == 8);
}

TEST(vector_registers_survive_sleep)
{
    volatile double third = 1.0 / 3.0;
    char text[32];

    (void)usleep(1000);
    (void)snprintf(text, sizeof(text), "%.6f", third * 3);
    EXPECT(strcmp(text, "1.000000") == 0);
}

TEST(the_heap_is_given_back)
{
    for (int round = 0; round < 50; round++) {
        char *p = malloc(2 << 20);

        EXPECT(p != NULL);
        if (!p)
            return;
        memset(p, round, 2 << 20);
        free(p);
    }
    EXPECT(malloc(1u << 30) == NULL);
}

TEST(small_blocks_hold_what_was_written)
{
    static unsigned char *at[500];

    for (unsigned i = 0; i < 500; i++) {
        at[i] = malloc(i * 7 + 1);
        if (at[i])
            memset(at[i], (int)(i & 0xff), i * 7 + 1);
    }
    for (unsigned i = 0; i < 500; i++) {
        EXPECT(at[i] && at[i][0] == (i & 0xff) && at[i][i * 7] == (i & 0xff));
        free(at[i]);
    }
}

TEST(missing_files_are_missing)
{
    struct stat s;

    EXPECT(fopen("/no/such/file", "r") == NULL);
    EXPECT(stat("no/such/file", &s) < 0);
    EXPECT(open("/new", O_WRONLY | O_CREAT, 0600) < 0);
}

TEST(the_module_has_the_program)
{
    char magic[4] = "";
    int fd = open("/bulkhead/control.elf", O_RDONLY);
    struct stat s;

    if (start_domid() != 0)
        return;
    EXPECT(fd >= 0 && fstat(fd, &s) == 0);
    EXPECT(read(fd, magic, 4) == 4 && memcmp(magic, "\177ELF", 4) == 0);
    EXPECT(lseek(fd, 0, SEEK_END) == s.st_size);

    char *p = mmap(NULL, (size_t)s.st_size, PROT_READ, MAP_PRIVATE, fd, 0);

    EXPECT(p != MAP_FAILED && memcmp(p, magic, 4) == 0);
    EXPECT(munmap(p, (size_t)s.st_size) == 0);
    EXPECT(close(fd) == 0 && close(fd) < 0);
}

TEST(random_bytes_differ)
{
    unsigned char a[16];
    unsigned char b[16];

    EXPECT(getrandom(a, sizeof(a), 0) == 16 && getrandom(b, sizeof(b), 0) == 16);
    EXPECT(memcmp(a, b, sizeof(a)) != 0);
}

/* ---- time ----------------------------------------------------------------------------------- */

TEST(sleep_takes_its_time)
{
    uint64_t start = clock_now();
    const struct timespec t = {.tv_nsec = 20 * MS};

    EXPECT(nanosleep(&t, NULL) == 0);
    uint64_t took = clock_now() - start;

    EXPECT(took >= 20 * MS && took < 2000 * MS);
}

TEST(the_clock_never_goes_back)
{
    uint64_t last = clock_now();

    for (int i = 0; i < 100000; i++) {
        uint64_t now = clock_now();

        EXPECT(now >= last);
        last = now;
    }
    EXPECT(time(NULL) > 1700000000);
}

TEST(deadlines_pass_in_any_order)
{
    uint64_t start = clock_now();

    EXPECT(event_wait(start + 30 * MS) == EVENT_NONE);
    EXPECT(event_wait(clock_now() + 5 * MS) == EVENT_NONE);
    EXPECT(event_wait(0) == EVENT_NONE);
    EXPECT(event_wait(clock_now() + 10 * MS) == EVENT_NONE);
    EXPECT(clock_now() - start >= 45 * MS);
}

/* An interrupt that comes just before the halt must not be slept through. */
TEST(short_sleeps_end)
{
    for (int i = 0; i < 500; i++)
        EXPECT(event_wait(clock_now() + 20000 + (uint64_t)i * 200) == EVENT_NONE);
}

/* ---- events: channels of the domain to itself ----------------------------------------------- */

struct pair {
    evtchn_port_t near, far;
};

static struct pair loop_open(void)
{
    struct evtchn_alloc_unbound a = {.dom = DOMID_SELF, .remote_dom = DOMID_SELF};

    EXPECT(hcall_event_alloc_unbound(&a) >= 0);
    struct evtchn_bind_interdomain b = {.remote_dom = DOMID_SELF, .remote_port = a.port};

    EXPECT(hcall_event_bind_interdomain(&b) >= 0);
    return (struct pair){.near = a.port, .far = b.local_port};
}

static void loop_close(struct pair p)
{
    event_shut(p.near);
    (void)hcall_event_close(&(struct evtchn_close){.port = p.far});
    (void)hcall_event_close(&(struct evtchn_close){.port = p.near});
}

static void send(struct pair p)
{
    EXPECT(hcall_event_send(&(struct evtchn_send){.port = p.far}) >= 0);
}

TEST(an_event_comes_once)
{
    struct pair p = loop_open();

    event_open(p.near);
    while (event_next() != EVENT_NONE) /* a fresh binding may be pending */
        ;
    send(p);
    send(p);
    EXPECT(event_wait(EVENT_FOREVER) == p.near);
    EXPECT(event_next() == EVENT_NONE);
    EXPECT(event_wait(clock_now() + MS) == EVENT_NONE);
    loop_close(p);
}

TEST(an_event_before_opening_is_kept)
{
    struct pair p = loop_open();

    send(p);
    EXPECT(event_next() == EVENT_NONE);
    event_open(p.near);
    EXPECT(event_wait(clock_now() + 1000 * MS) == p.near);
    loop_close(p);
}

TEST(waiting_for_one_leaves_the_others)
{
    struct pair p = loop_open();
    struct pair q = loop_open();

    event_open(p.near);
    event_open(q.near);
    while (event_next() != EVENT_NONE)
        ;
    send(p);
    EXPECT(event_wait_port(q.near, clock_now() + 5 * MS) == EVENT_NONE);
    send(q);
    EXPECT(event_wait_port(q.near, EVENT_FOREVER) == q.near);
    (void)usleep(1000);
    EXPECT(event_wait(EVENT_FOREVER) == p.near);
    loop_close(p);
    loop_close(q);
}

TEST(a_flood_starves_nobody)
{
    struct pair p = loop_open();
    struct pair q = loop_open();
    unsigned seen = 0;

    event_open(p.near);
    event_open(q.near);
    send(q);
    for (int i = 0; i < 10; i++) {
        send(p);
        seen += event_wait(EVENT_FOREVER) == q.near;
    }
    EXPECT(seen == 1);
    loop_close(p);
    loop_close(q);
}

/* ---- memory --------------------------------------------------------------------------------- */

/* Maps a page of its own by a grant into empty address space. */
TEST(grants_appear_in_space)
{
    struct grant_entry_v1 *table = memory_space_alloc(1);
    struct xen_add_to_physmap add = {
        .domid = DOMID_SELF, .space = XENMAPSPACE_grant_table, .gpfn = memory_gfn(table)};
    char *page = memory_pages_alloc(1);
    char *view = memory_space_alloc(1);
    const grant_ref_t ref = GNTTAB_NR_RESERVED_ENTRIES;

    EXPECT(page && view && hcall_memory_add_to_physmap(&add) >= 0);
    table[ref] = (struct grant_entry_v1){
        .flags = GTF_permit_access, .domid = start_domid(), .frame = (uint32_t)memory_gfn(page)};

    struct gnttab_map_grant_ref map = {.host_addr = (uint64_t)(uintptr_t)view,
                                       .flags = GNTMAP_host_map,
                                       .ref = ref,
                                       .dom = start_domid()};

    EXPECT(hcall_grant_map(&map, 1) >= 0 && map.status == GNTST_okay);
    memcpy(page, "shared", 7);
    EXPECT(strcmp(view, "shared") == 0);

    struct gnttab_unmap_grant_ref unmap = {.host_addr = map.host_addr, .handle = map.handle};

    EXPECT(hcall_grant_unmap(&unmap, 1) >= 0 && unmap.status == GNTST_okay);
    memory_space_free(view, 1);
    memory_pages_free(page, 1);
}

TEST(pages_come_zeroed)
{
    unsigned char *p = memory_pages_alloc(3);
    unsigned bad = 0;

    EXPECT(p != NULL && ((uintptr_t)p & PAGE_MASK) == 0);
    if (!p)
        return;
    memset(p, 0xff, 3 * PAGE_SIZE);
    memory_pages_free(p, 3);
    p = memory_pages_alloc(3);
    for (unsigned i = 0; p && i < 3 * PAGE_SIZE; i++)
        bad += p[i] != 0;
    EXPECT(p && bad == 0);
    memory_pages_free(p, 3);
    EXPECT(memory_pages_alloc(1u << 20) == NULL);
}

/* ---- memory that can be spoilt --------------------------------------------------------------- */

/* Too many to be all of one kind; each is written with what it holds. */
TEST(pages_in_use_may_be_written)
{
    uint8_t *heap = memory_pages_alloc(1);
    bool found_heap = false, found_data = false;
    size_t len;
    uint8_t *text = memory_text_open(&len);

    memory_text_close();
    for (uint64_t pick = 0; pick < 20000; pick++) {
        uint8_t *page = memory_used_page(pick);
        volatile uint8_t *last = page + PAGE_SIZE - 1;

        EXPECT(page && ((uintptr_t)page & PAGE_MASK) == 0);
        EXPECT(page < text || page >= text + len);
        *last = *last;
        found_heap = found_heap || page == heap;
        found_data = found_data || ((uintptr_t)&counter & ~(uintptr_t)PAGE_MASK) == (uintptr_t)page;
    }
    EXPECT(found_heap && found_data);
    memory_pages_free(heap, 1);
}

/* "mov $7, %eax; ret" */
static int __attribute__((naked, noinline)) seven(void)
{
    __asm__("movl $7, %eax\n\tret");
}

TEST(text_may_be_changed_for_a_while)
{
    int (*volatile get)(void) = seven;
    size_t len;
    uint8_t *text = memory_text_open(&len);
    volatile uint8_t *number = (volatile uint8_t *)(uintptr_t)seven + 1;

    EXPECT((uintptr_t)number > (uintptr_t)text && (uintptr_t)number < (uintptr_t)text + len);
    EXPECT(get() == 7 && *number == 7);
    *number = 8;
    memory_text_close();
    EXPECT(get() == 8);
}

TEST(a_refused_page_is_remembered)
{
    void **first = NULL, **page;

    EXPECT(memory_pages_alloc(1u << 20) == NULL && !memory_is_used_up());
    while ((page = memory_pages_alloc(1)) != NULL) {
        *page = first;
        first = page;
    }
    EXPECT(memory_is_used_up());
    while (first) {
        page = first;
        first = *page;
        memory_pages_free(page, 1);
    }
}
