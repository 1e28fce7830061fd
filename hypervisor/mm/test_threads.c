/* Real threads as CPUs: what one test step after the other cannot show. */
#include <pthread.h>
#include <sched.h>
#include <string.h>

#include "check.h"
#include "fake_arch.h"

#include <arch/tlb.h>

#include "domain/domain.h"
#include "mm/copy.h"
#include "mm/frame.h"
#include "util/lock.h"

#define ROUNDS 300u
#define COUNTS 2000u
#define PAGES  4u

static struct domain d;
static volatile bool done;
static unsigned bad, read_count[FAKE_CPUS];

static void wait(void)
{
    sched_yield();
}

/* ---- locks --------------------------------------------------------------------------- */

static struct lock lock = LOCK_INIT(LOCK_EVENT), pair = LOCK_INIT(LOCK_EVENT);
static unsigned long counter;

static void *count(void *cpu)
{
    fake_cpu_enter((unsigned)(uintptr_t)cpu);
    for (unsigned i = 0; i < COUNTS; i++) {
        if (i % 4 == 0)
            lock_pair_acquire(i % 8 ? &lock : &pair, i % 8 ? &pair : &lock);
        else
            lock_acquire(&lock);
        unsigned long seen = counter;
        if (i % 64 == 0)
            sched_yield();
        counter = seen + 1;
        if (i % 4 == 0)
            lock_pair_release(&lock, &pair);
        else
            lock_release(&lock);
    }
    return NULL;
}

TEST(locks_exclude)
{
    pthread_t threads[FAKE_CPUS];

    fake_on_relax = wait;
    counter = 0;
    for (uintptr_t i = 0; i < FAKE_CPUS; i++)
        EXPECT(pthread_create(&threads[i], NULL, count, (void *)i) == 0);
    for (unsigned i = 0; i < FAKE_CPUS; i++)
        EXPECT(pthread_join(threads[i], NULL) == 0);
    EXPECT(counter == (unsigned long)COUNTS * FAKE_CPUS);
}

/* ---- readers of nested tables -------------------------------------------------------- */

static void *read_pages(void *cpu)
{
    unsigned id = (unsigned)(uintptr_t)cpu;
    static _Thread_local char buf[PAGES * PAGE_SIZE];

    fake_cpu_enter(id);
    while (!done) {
        memset(buf, 'a', sizeof(buf));
        /* It ends where a page is not there; what came before was copied. */
        if (copy_from_gpa(&d, buf, (gpa_t){0}, sizeof(buf)) == 0)
            read_count[id]++;
        if (memchr(buf, 'z', sizeof(buf)))
            __atomic_fetch_add(&bad, 1, __ATOMIC_RELAXED);
    }
    return NULL;
}

/* A page is taken away, gets somebody else's data, comes back: no reader sees that data. */
static void take_and_return(uint64_t gfn)
{
    enum p2m_type type;
    mfn_t mfn;

    EXPECT(p2m_take(&d.p2m, (gfn_t){gfn}, P2M_ALL, &mfn, &type) == 0 && type == P2M_RAM);
    tlb_flush_p2m(&d.p2m);
    memset(fake_frame(mfn.v), 'z', PAGE_SIZE);
    for (unsigned i = 0; i < 3; i++)
        sched_yield();
    memset(fake_frame(mfn.v), 'a', PAGE_SIZE);
    EXPECT(p2m_map(&d.p2m, (gfn_t){gfn}, mfn, 0, P2M_RAM) == 0);
}

TEST(readers_never_see_what_was_freed)
{
    pthread_t threads[FAKE_CPUS];

    fake_machine();
    fake_on_relax = wait;
    d = (struct domain){.frames_max = PAGES};
    EXPECT(p2m_init(&d.p2m, &d) == 0);
    for (uint64_t gfn = 0; gfn < PAGES; gfn++) {
        mfn_t mfn = frame_alloc(1, 0);
        memset(fake_frame(mfn.v), 'a', PAGE_SIZE);
        EXPECT(p2m_map(&d.p2m, (gfn_t){gfn}, mfn, 0, P2M_RAM) == 0);
    }
    done = false;
    for (uintptr_t i = 1; i < FAKE_CPUS; i++)
        EXPECT(pthread_create(&threads[i], NULL, read_pages, (void *)i) == 0);
    for (unsigned i = 0; i < ROUNDS || read_count[1] < 20; i++)
        take_and_return(i % PAGES);
    done = true;
    for (unsigned i = 1; i < FAKE_CPUS; i++)
        EXPECT(pthread_join(threads[i], NULL) == 0);
    EXPECT(bad == 0);
    p2m_fini(&d.p2m);
}
