/*
 * Resets between owners, the mildest first. Nothing waits here: a reset begins
 * when its function is taken back, and goes on when somebody asks for it.
 */
#include "pci/reset.h"

#include <abi/xen.h>

#include <arch/clock.h>

#include "console/console.h"

#define MS      1000000ull
#define PATIENT (5000 * MS) /* who has not come back by then does not */

enum { STEP_FLR, STEP_AF, STEP_POWER, STEP_BUS, STEPS };

/*
 * In the order in which they are tried. All are a few bits of a 16-bit register
 * that hold the function in reset, or start one, and times.
 */
static const struct reset_step {
    const char *name;
    uint32_t can, wanted; /* bits, and what they are if the function has it: a dword, ... */
    uint8_t can_at;       /* ... from where its capability begins; with the bus: see bus_is_free */
    uint8_t at;           /* the register; with the bus: the bridge's */
    uint16_t bits, hold, end;  /* in it: all of them; at first; and then */
    uint32_t pending;          /* in the dword there: it still waits for answers */
    uint16_t hold_ms, wait_ms; /* until the end at most; then, until it is looked at */
} steps[STEPS] = {
    /* PCI Express 6.6.2 and its conventional twin; how long answers may take is our own bound. */
    [STEP_FLR] = {"FLR", 1u << 28, 1u << 28, 4, 8, 1u << 15, 0, 1u << 15, 1u << 21, 100, 100},
    [STEP_AF] = {"conventional FLR", 1u << 25, 1u << 25, 0, 4, 1, 0, 1, 1u << 8, 100, 100},
    /* D3hot and back, PCI Power Management 5.6.1; not if bit 3 says that it stays as it is. */
    [STEP_POWER] = {"power state", 1u << 3, 0, 4, 4, 3, 3, 0, 0, 10, 10},
    /* PCI Express 6.6.1, and the time that conventional PCI wants. */
    [STEP_BUS] = {"its bus", 0, 0, 0, 0x3e, 1u << 6, 1u << 6, 0, 0, 2, 1000},
};

/* What devices say they can do, and does them no good. */
#define NO_FLR (1u << STEP_FLR | 1u << STEP_AF)
static const struct {
    uint16_t vendor, device;
    uint8_t broken;
} quirks[] = {
    {0x1022, 0x149c, NO_FLR},           /* AMD's USB of Matisse: hangs */
    {0x1022, 0x7901, NO_FLR},           /* AMD's SATA (FCH): its links are dead afterwards */
    {0x15b3, 0xcb84, 1u << STEP_POWER}, /* Mellanox's Spectrum: goes on as if nothing had been */
    {0x168c, 0x0030, 1u << STEP_BUS},   /* Atheros AR93xx: reading it then may hang the machine */
    {0x8086, 0x1502, NO_FLR},           /* Intel 82579LM: may hang */
    {0x8086, 0x1503, NO_FLR},           /* Intel 82579V: may hang */
};

static bool is_broken(const struct pci_function *f, unsigned step)
{
    for (unsigned i = 0; i < sizeof(quirks) / sizeof(quirks[0]); i++)
        if (f->id == ((uint32_t)quirks[i].device << 16 | quirks[i].vendor))
            return quirks[i].broken >> step & 1;
    return false;
}

/* On one bus, which a bridge can reset: that of a root has none. */
static bool is_beside(const struct pci_function *f, const struct pci_function *g)
{
    return f->bridge && f->bridge == g->bridge;
}

/* Only what is nobody's is reset with it. A bridge there would forget the buses behind it. */
static bool bus_is_free(const struct pci_function *f)
{
    list_for_each (const struct pci_function, g, &pci_functions, all)
        if (is_beside(f, g) && (g->owner || g->reserved || is_broken(g, STEP_BUS)))
            return false;
    return f->bridge != NULL;
}

static unsigned base_of(const struct pci_function *f)
{
    const uint8_t base[STEPS] = {f->pcie, f->af, f->power, 0};

    return base[f->reset_step];
}

static bool can(const struct pci_function *f)
{
    const struct reset_step *step = &steps[f->reset_step];
    unsigned base = base_of(f);

    if (is_broken(f, f->reset_step))
        return false;
    if (f->reset_step == STEP_BUS)
        return bus_is_free(f);
    return base != 0 && (config_read(f, base + step->can_at, 4) & step->can) == step->wanted;
}

/* A bus takes with it all that is there. */
static void enter(struct pci_function *f, enum reset_phase phase)
{
    bool held = phase == RESET_HELD;
    const struct reset_step *step = &steps[f->reset_step];
    struct pci_function *target = f->reset_step == STEP_BUS ? f->bridge : f;
    unsigned at = base_of(f) + step->at;

    config_write(target, at, 2,
                 (config_read(target, at, 2) & ~(uint32_t)step->bits) |
                     (held ? step->hold : step->end));
    list_for_each (struct pci_function, g, &pci_functions, all) {
        if (g != f && !(f->reset_step == STEP_BUS && is_beside(f, g)))
            continue;
        g->reset_step = f->reset_step;
        g->reset_phase = phase;
        g->ready = clock_now() + (held ? step->hold_ms : step->wait_ms) * MS;
    }
}

/* Begins the first step there is from this one on; false: none. */
static bool begin(struct pci_function *f, unsigned first)
{
    uint8_t last = f->reset_step;

    for (f->reset_step = (uint8_t)first; f->reset_step < STEPS; f->reset_step++) {
        if (can(f)) {
            enter(f, RESET_HELD);
            return true;
        }
    }
    f->reset_step = last;
    return false;
}

void reset_start(void)
{
    list_for_each (struct pci_function, f, &pci_functions, all) {
        if (f->reset_phase != RESET_DUE)
            continue;
        f->reset_phase = RESET_NONE;
        f->unclean = !begin(f, 0);
        if (f->unclean)
            console_log("PCI %04x cannot be reset: what its last owner left in it stays", f->bdf);
        (void)!reset_poll(f);
    }
}

/* Until its time is over, or, where something is pending, that is not any more. */
static bool is_held(const struct pci_function *f)
{
    uint32_t pending = steps[f->reset_step].pending;

    return clock_now() < f->ready &&
           (pending == 0 || (config_read(f, base_of(f) + steps[f->reset_step].at, 4) & pending));
}

int reset_poll(struct pci_function *f)
{
    if (f->reset_phase == RESET_NONE)
        return 0;
    if (f->reset_phase == RESET_HELD && !is_held(f))
        enter(f, RESET_WAITS);
    if (clock_now() < f->ready)
        return -XEN_EAGAIN;
    if (config_read(f, CONFIG_ID, 4) == f->id) {
        console_log("PCI %04x: reset by %s", f->bdf, steps[f->reset_step].name);
        f->reset_phase = RESET_NONE;
        f->unclean = false;
        return 0;
    }
    if (f->reset_phase == RESET_LOST)
        return -XEN_EIO;
    if (clock_now() < f->ready + PATIENT || begin(f, f->reset_step + 1u))
        return -XEN_EAGAIN;
    console_log("PCI %04x does not answer since its reset: nobody gets it", f->bdf);
    f->reset_phase = RESET_LOST;
    return -XEN_EIO;
}
