/* What each kind of fault does to this domain. */
#include "fault.h"

#include <abi/addr.h>

#include <fault_end.h>
#include <pci.h>
#include <rt/fault.h>
#include <rt/log.h>
#include <rt/memory.h>

/* How much is spoilt by one order. */
#define WILD_STORES   64u
#define RING_BYTES    256u
#define FLIPPED_BITS  64u
/* Addresses that are tried for one store: what is not there reads as ones. */
#define TRIES         16u
#define FUNCTIONS_MAX 32u

/* Numbers that repeat with their seed (the finaliser of splitmix64). */
struct numbers {
    uint64_t state;
};

static uint64_t next(struct numbers *n)
{
    uint64_t z = n->state += 0x9e3779b97f4a7c15;

    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
    z = (z ^ z >> 27) * 0x94d049bb133111eb;
    return z ^ z >> 31;
}

static void crash(const struct fault *f, struct numbers *n)
{
    (void)f, (void)n;
    fault_end_undefined();
}

static void hang(const struct fault *f, struct numbers *n)
{
    (void)f, (void)n;
    fault_end_hang();
}

/* A place of eight bytes that something is in; NULL: none was found. */
static volatile uint64_t *place(struct numbers *n)
{
    for (uint32_t i = 0; i < TRIES; i++) {
        volatile uint64_t *page = memory_used_page(next(n));
        uint64_t word = next(n) % (PAGE_SIZE / sizeof(*page));

        if (page && page[word] != UINT64_MAX)
            return &page[word];
    }
    return NULL;
}

static void wild_write(const struct fault *f, struct numbers *n)
{
    (void)f;
    for (uint32_t i = 0; i < WILD_STORES; i++) {
        volatile uint64_t *at = place(n);
        uint64_t value = next(n);

        if (at)
            *at = value;
    }
}

/* A device that hangs neither reads nor writes memory, and sends no interrupt. */
static void stall_dma(const struct fault *f, struct numbers *n)
{
    struct pci_function functions[FUNCTIONS_MAX];
    uint32_t count = pci_chosen(f->argc, f->argv, functions, FUNCTIONS_MAX);

    (void)n;
    for (uint32_t i = 0; i < count; i++)
        if (functions[i].config)
            pci_command(&functions[i], 0, PCI_COMMAND_MASTER);
}

static void corrupt_ring(const struct fault *f, struct numbers *n)
{
    volatile uint8_t *page = f->parts.ring(f->parts.context, next(n));

    if (!page) {
        log_line("fault injection: no front end shares a ring");
        return;
    }
    for (uint32_t i = 0; i < RING_BYTES; i++) {
        uint64_t offset = next(n) % PAGE_SIZE;

        page[offset] = (uint8_t)next(n);
    }
}

/* What follows is the domain's own affair: whoever needs memory next finds none. */
static void leak(const struct fault *f, struct numbers *n)
{
    (void)f, (void)n;
    while (memory_pages_alloc(1))
        ;
}

static void flip(const struct fault *f, struct numbers *n)
{
    size_t len;
    volatile uint8_t *text = memory_text_open(&len);

    (void)f;
    for (uint32_t i = 0; i < FLIPPED_BITS; i++) {
        uint64_t offset = next(n) % len;

        text[offset] ^= (uint8_t)(1u << next(n) % 8);
    }
    memory_text_close();
}

static void (*const acts[FAULT_KINDS])(const struct fault *f, struct numbers *n) = {
    [FAULT_CRASH] = crash,
    [FAULT_HANG] = hang,
    [FAULT_WILD_WRITE] = wild_write,
    [FAULT_STALL_DMA] = stall_dma,
    [FAULT_CORRUPT_RING] = corrupt_ring,
    [FAULT_LEAK] = leak,
    [FAULT_FLIP] = flip,
};

void fault_act(const struct fault *f, const struct fault_order *order)
{
    struct numbers n = {order->seed};

    acts[order->kind](f, &n);
}
