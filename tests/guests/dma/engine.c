#include "engine.h"

#include "call.h"
#include "console.h"
#include "cpu.h"
#include "result.h"
#include "start.h"

#include <abi/bulkhead.h>
#include <abi/layout.h>

static const struct engine *const engines[] = {&edu, &nvme, &e1000e};
#define ENGINE_COUNT (sizeof(engines) / sizeof(engines[0]))

#define MEMORY_MASTER 6u
#define CONTAINED     4u /* bit of the features leaf: device addresses are the domain's own */

const struct engine *engine;
static uint8_t given[PAGE_SIZE] __attribute__((aligned(4096)));
static uint8_t found[PAGE_SIZE] __attribute__((aligned(4096)));

volatile uint32_t *engine_config(const struct engine *which)
{
    for (unsigned slot = 0; slot < 32; slot++) {
        uint64_t at = LAYOUT_ECAM_BASE + slot * 8 * PAGE_SIZE;
        volatile uint32_t *config = (volatile uint32_t *)(uintptr_t)at;

        if (*config == which->id)
            return config;
    }
    return NULL;
}

void engine_open(void)
{
    volatile uint32_t *config = engine_config(engine);

    if (!config)
        return;
    config[CONFIG_COMMAND] = MEMORY_MASTER;
    if (!engine->open((volatile uint8_t *)(uintptr_t)(config[CONFIG_BAR] & ~0xfu)))
        result_error(engine->name, -1);
}

void engine_each(void (*attack)(void))
{
    static bool is_open[ENGINE_COUNT];
    unsigned count = 0;

    for (unsigned i = 0; i < ENGINE_COUNT; i++) {
        engine = engines[i];
        if (!engine_config(engine))
            continue;
        if (!is_open[i]) {
            engine_open();
            console_print("dma: %s is contained: %d\n", engine->name, engine_contained());
        }
        is_open[i] = true;
        count++;
        attack();
    }
    if (count == 0)
        result_skip("no device");
}

/* ---- the domain and its pages ----------------------------------------------------------- */

uint64_t engine_address(const void *page)
{
    uint64_t address = 0;
    struct bulkhead_dma_address arg = {
        .gfn = call_address(page) / PAGE_SIZE, .count = 1, .buffer = call_address(&address)};

    if (call2(HYPERVISOR_BULKHEAD, BULKHEAD_dma_address, &arg) < 0)
        result_error("dma_address", -1);
    return address;
}

uint64_t engine_blocked(void)
{
    struct bulkhead_domain_stats stats = {.domid = start_self()};

    if (call2(HYPERVISOR_BULKHEAD, BULKHEAD_domain_stats, &stats) < 0)
        result_error("domain_stats", -1);
    return stats.dma_blocked;
}

bool engine_contained(void)
{
    return (cpu_id(call_leaf() + 4, 0).eax & CONTAINED) != 0;
}

bool engine_was_told(uint64_t before)
{
    uint64_t now = engine_blocked();

    if (!engine_contained() || start_option("silent"))
        return now == before;
    return now > before;
}

void engine_fill(uint8_t *page, uint8_t value)
{
    for (unsigned i = 0; i < PAGE_SIZE; i++)
        ((volatile uint8_t *)page)[i] = value;
}

unsigned engine_count(const uint8_t *page, uint8_t value)
{
    unsigned n = 0;

    for (unsigned i = 0; i < LEN; i++)
        n += ((const volatile uint8_t *)page)[i] == value;
    return n;
}

const volatile uint8_t *engine_look(uint64_t at)
{
    engine_fill(given, ENGINE_SECRET);
    engine_fill(found, 0);
    engine->load(engine_address(given));
    engine->load(at);
    engine->store(engine_address(found));
    return found;
}

/* A unit that refuses a read gives what it likes, but never what is there. */
bool engine_saw(const volatile uint8_t *bytes)
{
    const uint8_t *page = (const uint8_t *)(uintptr_t)bytes;

    return engine_count(page, ENGINE_SECRET) < LEN && engine_count(page, 0) < LEN &&
           engine_count(page, 0xff) < LEN;
}

void engine_spoil(uint64_t at, uint8_t value)
{
    engine_fill(given, value);
    engine->load(engine_address(given));
    engine->store(at);
}
