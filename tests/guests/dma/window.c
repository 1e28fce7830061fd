/*
 * Messages to the interrupt window, forged by writing there and by the edu's own
 * MSI. Where nothing refuses them the core meets vectors that nobody sent, which it has
 * to bear; to see whether they come, this domain has one to itself.
 *
 * A unit that remaps interrupts refuses those of the old format, and those that
 * name an entry made for somebody else. QEMU's VT-d unit does neither for what is
 * written by DMA: it passes the old format on, and does not ask who writes. So
 * what comes is told here and judged by whoever runs this; that a unit which does
 * as it is told refuses them is shown on the host (test_iommu).
 */
#include "call.h"
#include "console.h"
#include "engine.h"
#include "event.h"
#include "result.h"
#include "start.h"

#include <abi/bulkhead.h>

#define WINDOW       0xfee00000ull /* processor 0 */
#define WINDOW_ALL   0xfeeff000ull /* all of them; entries that no table has */
#define VECTOR_FIRST 0x20u         /* below are exceptions: no device's */
#define VECTORS      0xe0u
#define GROUP        32u /* so many vectors for a transfer: each word is a message */

/* The edu's MSI capability, of 64 bits, by 32 bits. */
#define CONFIG_CAPABILITIES 13u
#define CAPABILITY_MSI      5u
#define MSI_ADDRESS         1u
#define MSI_DATA            3u
#define MSI_ON              (1u << 16)
#define EDU_RAISE           0x60u
#define EDU_LOWER           0x64u

static uint32_t page[PAGE_SIZE / sizeof(uint32_t)] __attribute__((aligned(4096)));
static evtchn_port_t port;

/* ---- the edu's own message -------------------------------------------------------------- */

static volatile uint32_t *msi(void)
{
    volatile uint32_t *config = engine_config(&edu);
    uint32_t at = config ? config[CONFIG_CAPABILITIES] & 0xff : 0;

    while (at && (config[at / 4] & 0xff) != CAPABILITY_MSI)
        at = config[at / 4] >> 8 & 0xff;
    return at ? config + at / 4 : NULL;
}

static void message_send(uint64_t address, uint32_t data)
{
    volatile uint32_t *config = engine_config(&edu), *m = msi();
    volatile uint8_t *registers;

    if (!m) {
        result_error("the edu's MSI", -1);
        return;
    }
    registers = (volatile uint8_t *)(uintptr_t)(config[CONFIG_BAR] & ~0xfu);
    m[0] &= ~MSI_ON;
    m[MSI_ADDRESS] = (uint32_t)address;
    m[MSI_ADDRESS + 1] = (uint32_t)(address >> 32);
    m[MSI_DATA] = data;
    m[0] |= MSI_ON;
    *(volatile uint32_t *)(volatile void *)(registers + EDU_RAISE) = 1;
    *(volatile uint32_t *)(volatile void *)(registers + EDU_LOWER) = 1;
}

/* Whatever it says of others' processors and entries, and of SMI and ExtINT: none of it is sent. */
static void edu_forges(void)
{
    static const uint64_t addresses[] = {
        WINDOW,     WINDOW | 0x10, WINDOW | 0x18,          WINDOW | 0xff8,
        WINDOW_ALL, 0x1000,        0x100000000ull | WINDOW};
    /* But NMI and INIT: its own processor gets them. */
    static const uint8_t modes[] = {0, 1, 2, 3, 6, 7};

    if (engine != &edu)
        return;
    for (unsigned i = 0; i < sizeof(addresses) / sizeof(addresses[0]); i++)
        for (unsigned j = 0; j < sizeof(modes) / sizeof(modes[0]); j++)
            message_send(addresses[i], modes[j] << 8 | 0xc0 | i);
    event_clear(port);
    message_send((uint64_t)BULKHEAD_MSI_EVENT << 32, port);
    while (!event_is_pending(port))
        engine_wait();
    event_clear(port);
}

/* ---- written by DMA --------------------------------------------------------------------- */

static void forge(uint64_t window)
{
    for (unsigned from = 0; from < VECTORS; from += GROUP) {
        for (unsigned i = 0; i < LEN / sizeof(uint32_t); i++)
            ((volatile uint32_t *)page)[i] = VECTOR_FIRST + from + i / 8;
        engine->load(engine_address(page));
        engine->store(window);
    }
}

static void dma_forges(void)
{
    bool came;

    forge(WINDOW_ALL);
    /* Without a unit, QEMU takes what a card writes there as what the processor writes. */
    if (engine_contained())
        forge(WINDOW);
    came = event_is_pending(port);
    event_clear(port);
    console_print("dma: interrupts that the %s forged: %s\n", engine->name,
                  came ? "came" : "refused");
    EXPECT(came || engine_contained());
}

TEST(interrupts)
{
    struct evtchn_alloc_unbound unbound = {.dom = DOMID_SELF, .remote_dom = DOMID_SELF};

    if (!engine_config(&edu)) {
        result_skip("no edu, whose interrupt others could raise");
        return;
    }
    EXPECT(event_init() == 0);
    EXPECT(call_event(EVTCHNOP_alloc_unbound, &unbound) == 0);
    port = unbound.port;
    engine_each(edu_forges);
    engine_each(dma_forges);
}
