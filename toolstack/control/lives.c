/* Our own lives: the core begins another one in place when one ends, and the page that it leaves.
 */
#include "control.h"

#include <stdlib.h>
#include <string.h>

#include <abi/addr.h>
#include <abi/layout.h>
#include <abi/start.h>
#include <build/memory.h>
#include <rt/clock.h>
#include <rt/life.h>

#include <xen/sched.h>

#define MS 1000000ull

static struct life_page last;
static bool has_last;

void lives_begin(void)
{
    has_last = life_take(&last);
    if (!has_last && memory_populate(DOMID_SELF, LAYOUT_LIFE_PAGE, PAGE_SIZE) == 0)
        life_begin();
}

/* The number behind a word that the core has put into the command line. */
static unsigned word(int argc, char **argv, const char *name)
{
    size_t len = strlen(name);

    for (int i = 1; i < argc; i++)
        if (strncmp(argv[i], name, len) == 0)
            return (unsigned)strtoul(argv[i] + len, NULL, 10);
    return 0;
}

/* What it wrote itself says more than what the core saw. */
static const char *reason(unsigned code)
{
    if (has_last && last.end.kind == LIFE_EXCEPTION)
        return last.end.vector == 2 ? "was ended by an NMI" : "died of an exception";
    if (has_last && last.end.kind == LIFE_WORD)
        return "ended itself";
    return code == SHUTDOWN_poweroff ? "halted in the middle" : "was ended by the core";
}

void lives_tell(struct supervise *s, int argc, char **argv)
{
    unsigned ended = word(argc, argv, START_AGAIN);
    const char *why = reason(word(argc, argv, START_ENDED));
    struct entry *e = supervise_find(s, "control");
    unsigned found = 0;
    uint64_t now = clock_now();
    uint64_t died = has_last ? last.when[LIFE_DIED] : 0;
    uint64_t took = died > 0 && died < now ? now - died : 0;

    for (size_t i = 0; i < s->count; i++)
        found += s->entries[i]->domid != DOMID_INVALID && !s->entries[i]->service;
    if (e) {
        e->lives = ended + 1;
        evidence_take(e, has_last ? &last : NULL, ended, why);
    }
    s->failed = true;
    supervise_say("control: started again in place (life %u) after %llu.%llu ms: the last life %s; "
                  "%u domain%s found; `domcrash control` says more",
                  ended + 1, took / MS, took / (MS / 10) % 10, why, found, found == 1 ? "" : "s");
}
