/*
 * A driver domain that has its device (QEMU's "edu") reach for what is not its
 * own. With an IOMMU each attempt is blocked and counted; without one the same
 * succeeds, which shows that the attempts are real.
 */
#include "call.h"
#include "check.h"
#include "console.h"
#include "cpu.h"
#include "result.h"
#include "start.h"

#include <abi/addr.h>
#include <abi/bulkhead.h>
#include <abi/layout.h>
#include <abi/memory.h>

#define EDU_ID      0x11e81234u
#define EDU_FROM    0x80u
#define EDU_TO      0x88u
#define EDU_LEN     0x90u
#define EDU_COMMAND 0x98u
#define EDU_BUFFER  0x40000u
#define EDU_START   1u
#define EDU_OUT     2u /* from its buffer into memory */

#define CONFIG_COMMAND 4u
#define CONFIG_BAR     16u
#define MEMORY_MASTER  6u

#define LEN       1024u     /* of each transfer; the device takes less than a page */
#define CORE      0x200000u /* where the core's image is in the machine */
#define NOBODYS   0x17f0000000ull
#define CONTAINED 4u /* bit of the features leaf: device addresses are the domain's own */

static uint8_t page[4][PAGE_SIZE] __attribute__((aligned(4096)));
static volatile uint8_t *registers;

static volatile uint32_t *config(unsigned slot, unsigned offset)
{
    return (volatile uint32_t *)(uintptr_t)(LAYOUT_ECAM_BASE + slot * 8 * PAGE_SIZE + offset);
}

/* False: this domain has no such device. */
static bool device_open(void)
{
    for (unsigned slot = 0; slot < 32 && !registers; slot++) {
        if (*config(slot, 0) != EDU_ID)
            continue;
        *config(slot, CONFIG_COMMAND) = MEMORY_MASTER;
        registers = (volatile uint8_t *)(uintptr_t)(*config(slot, CONFIG_BAR) & ~0xfu);
    }
    if (!registers)
        result_skip("no edu device");
    return registers != NULL;
}

static volatile uint64_t *reg(unsigned at)
{
    return (volatile uint64_t *)(volatile void *)(registers + at);
}

static void transfer(uint64_t from, uint64_t to, uint64_t command)
{
    *reg(EDU_FROM) = from;
    *reg(EDU_TO) = to;
    *reg(EDU_LEN) = LEN;
    *reg(EDU_COMMAND) = EDU_START | command;
    while (*reg(EDU_COMMAND) & EDU_START)
        __asm__ volatile("pause" : : : "memory");
}

static void device_read(uint64_t from)
{
    transfer(from, EDU_BUFFER, 0);
}

static void device_write(uint64_t to)
{
    transfer(EDU_BUFFER, to, EDU_OUT);
}

static long bulkhead(uint64_t op, void *argument)
{
    return call2(HYPERVISOR_BULKHEAD, op, argument);
}

static uint64_t address_of(const void *p)
{
    uint64_t address = 0;
    struct bulkhead_dma_address arg = {
        .gfn = call_address(p) / PAGE_SIZE, .count = 1, .buffer = call_address(&address)};

    if (bulkhead(BULKHEAD_dma_address, &arg) < 0)
        result_error("dma_address", -1);
    return address;
}

static uint64_t blocked(void)
{
    struct bulkhead_domain_stats stats = {.domid = start_self()};

    if (bulkhead(BULKHEAD_domain_stats, &stats) < 0)
        result_error("domain_stats", -1);
    return stats.dma_blocked;
}

static bool contained(void)
{
    return (cpu_id(call_leaf() + 4, 0).eax & CONTAINED) != 0;
}

static void fill(uint8_t *p, uint8_t value)
{
    for (unsigned i = 0; i < PAGE_SIZE; i++)
        ((volatile uint8_t *)p)[i] = value;
}

static unsigned count(const uint8_t *p, uint8_t value)
{
    unsigned n = 0;

    for (unsigned i = 0; i < LEN; i++)
        n += ((const volatile uint8_t *)p)[i] == value;
    return n;
}

/* The device's buffer holds one value; then it reads somewhere: what it holds now, in page 3. */
static void look(uint64_t at)
{
    fill(page[2], 0xd5);
    device_read(address_of(page[2]));
    device_read(at);
    device_write(address_of(page[3]));
}

static void free_page(const void *p, bool again)
{
    xen_pfn_t gfn = call_address(p) / PAGE_SIZE;
    struct xen_memory_reservation r = {.nr_extents = 1, .domid = DOMID_SELF};

    set_xen_guest_handle(r.extent_start, &gfn);
    EXPECT(call_memory(again ? XENMEM_populate_physmap : XENMEM_decrease_reservation, &r) == 1);
}

TEST(its_own_memory)
{
    uint64_t before = blocked();

    if (!device_open())
        return;
    console_print("dma: %s\n", contained() ? "contained" : "open");
    EXPECT(!contained() || address_of(page[0]) == call_address(page[0]));
    fill(page[0], 0x3c);
    fill(page[1], 0);
    device_read(address_of(page[0]));
    device_write(address_of(page[1]));
    EXPECT(count(page[1], 0x3c) == LEN && count(page[1] + LEN, 0x3c) == 0);
    EXPECT(blocked() == before);
}

/* A page that it gave back, by the address that was good before, with the device still at it. */
TEST(a_page_that_it_freed)
{
    uint64_t at, before;

    if (!device_open())
        return;
    fill(page[0], 0x77);
    at = address_of(page[1]);
    device_read(address_of(page[0]));
    device_write(at);
    EXPECT(count(page[1], 0x77) == LEN);
    before = blocked();
    free_page(page[1], false);
    device_write(at);
    look(at);
    EXPECT((count(page[3], 0x77) == LEN) == !contained());
    EXPECT(blocked() == before + (contained() ? 2 : 0));
    free_page(page[1], true);
    EXPECT(count(page[1], 0x77) == 0);
}

TEST(the_cores_memory)
{
    uint64_t before = blocked();

    if (!device_open())
        return;
    if (contained()) /* where this domain has a page of its own by that number */
        free_page((const void *)(uintptr_t)CORE, false);
    look(CORE);
    /* A unit that refuses a read gives what it likes, but never what is there. */
    EXPECT((count(page[3], 0xd5) < LEN && count(page[3], 0) < LEN && count(page[3], 0xff) < LEN) ==
           !contained());
    look(NOBODYS);
    EXPECT(blocked() == before + (contained() ? 2 : 0));
}

/* What was blocked cost the device nothing else. */
TEST(what_is_its_own_goes_on)
{
    if (!device_open())
        return;
    fill(page[0], 0x99);
    device_read(address_of(page[0]));
    device_write(address_of(page[1]));
    EXPECT(count(page[1], 0x99) == LEN);
}
