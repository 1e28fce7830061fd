/* Orders, and what each of them spoils: in pages, text, rings and a device of the test's own. */
#include "fault.h"

#include <stdio.h>
#include <string.h>

#include <abi/addr.h>

#include <fake_hv.h>
#include <fault_end.h>
#include <pci.h>
#include <rt/fault.h>
#include <rt/memory.h>

#include "check.h"
#include "played.h"

/* ---- what the runtime would give --------------------------------------------------------- */

#define USED_PAGES 4u

static uint8_t used[USED_PAGES][PAGE_SIZE] __attribute__((aligned(PAGE_SIZE)));
static uint8_t text[3 * PAGE_SIZE];
static bool text_is_open, text_was_open;

void *memory_used_page(uint64_t pick)
{
    return used[pick % USED_PAGES];
}

void *memory_text_open(size_t *len)
{
    text_is_open = text_was_open = true;
    *len = sizeof(text);
    return text;
}

void memory_text_close(void)
{
    text_is_open = false;
}

/* ---- a store of one node ----------------------------------------------------------------- */

static char node[64];
static bool removal_fails;
static unsigned watches;

int store_watch(struct store_client *c, const char *token, const char *path, ...)
{
    (void)c;
    EXPECT(strcmp(token, "inject") == 0 && strcmp(path, "%s") == 0);
    watches++;
    return 0;
}

int store_read(struct store_client *c, uint32_t tx, char *value, size_t size, const char *path, ...)
{
    (void)c, (void)tx, (void)path;
    if (node[0] == '\0')
        return -XEN_ENOENT;
    return snprintf(value, size, "%s", node);
}

int store_remove(struct store_client *c, uint32_t tx, const char *path, ...)
{
    (void)c, (void)tx, (void)path;
    if (removal_fails)
        return -XEN_EACCES;
    node[0] = '\0';
    return 0;
}

/* ---- helpers ----------------------------------------------------------------------------- */

static struct store_client store;
static uint8_t ring[PAGE_SIZE];
static bool has_ring = true;

static void *ring_page(void *context, uint64_t pick)
{
    (void)pick;
    EXPECT(context == ring);
    return has_ring ? ring : NULL;
}

static struct fault_parts parts = {.ring = ring_page, .context = ring};
static char name[] = "domain3", allowed[] = FAULT_WORD, other[] = "pci=00:04.0";
static char *const words[] = {name, other, allowed, NULL};

static struct fault open_it(int argc)
{
    struct fault f;

    fake_reset();
    watches = 0;
    EXPECT(fault_open(&f, &store, &parts, argc, (char **)(uintptr_t)words) == 0);
    return f;
}

static const struct store_event *event_of(const char *token)
{
    static struct store_event event;

    event.token = token;
    return &event;
}

static void order(struct fault *f, const char *what)
{
    (void)snprintf(node, sizeof(node), "%s", what);
    EXPECT(fault_event(f, event_of("inject")));
    fault_settle(f);
}

static unsigned changed(const uint8_t *page, size_t len, uint8_t was)
{
    unsigned count = 0;

    for (size_t i = 0; i < len; i++)
        count += page[i] != was;
    return count;
}

/* ---- orders ------------------------------------------------------------------------------ */

TEST(orders_are_read_as_they_are_written)
{
    struct fault_order o, back;
    char line[FAULT_ORDER_LEN];
    static const char *const none[] = {"",
                                       "crash",
                                       "crash ",
                                       " 1",
                                       "crash x",
                                       "crash -1",
                                       "crash 1 2",
                                       "crashed 1",
                                       "flip 1x",
                                       "crash 18446744073709551616",
                                       "a-very-long-name-of-a-fault 1"};

    for (int i = 0; i < FAULT_KINDS; i++) {
        o = (struct fault_order){.kind = (enum fault_kind)i, .seed = UINT64_MAX - (unsigned)i};
        fault_order_write(&o, line);
        EXPECT(fault_order_read(&back, line));
        EXPECT(back.kind == o.kind && back.seed == o.seed);
    }
    for (size_t i = 0; i < sizeof(none) / sizeof(none[0]); i++)
        EXPECT(!fault_order_read(&back, none[i]));
}

TEST(without_the_word_nothing_is_heard)
{
    struct fault f = open_it(2);

    EXPECT(watches == 0 && !fault_event(&f, event_of("inject")));
    (void)snprintf(node, sizeof(node), "crash 1");
    fault_settle(&f);
    EXPECT(strcmp(node, "crash 1") == 0);
}

TEST(an_order_is_taken_away_before_it_is_carried_out)
{
    struct fault f = open_it(3);
    unsigned crashes = fault_end_undefined_count;

    EXPECT(watches == 1);
    EXPECT(!fault_event(&f, event_of("backend")));
    /* A watch fires once when it is set. */
    node[0] = '\0';
    EXPECT(fault_event(&f, event_of("inject")));
    fault_settle(&f);
    EXPECT(fault_end_undefined_count == crashes);
    order(&f, "crash 7");
    EXPECT(node[0] == '\0' && fault_end_undefined_count == crashes + 1);
    fault_settle(&f);
    EXPECT(fault_end_undefined_count == crashes + 1);
    removal_fails = true;
    order(&f, "crash 7");
    EXPECT(fault_end_undefined_count == crashes + 1);
    removal_fails = false;
    order(&f, "no order");
    EXPECT(strstr(fake_log_last(), "no order") && node[0] == '\0');
}

/* ---- faults ------------------------------------------------------------------------------ */

TEST(hanging)
{
    struct fault f = open_it(3);
    unsigned hangs = fault_end_hang_count;

    order(&f, "hang 1");
    EXPECT(fault_end_hang_count == hangs + 1);
}

TEST(wild_writes_repeat_with_their_seed)
{
    static uint8_t first[USED_PAGES][PAGE_SIZE];
    struct fault f = open_it(3);

    memset(used, 0x11, sizeof(used));
    order(&f, "wild-write 5");
    EXPECT(changed(used[0], sizeof(used), 0x11) > 300);
    memcpy(first, used, sizeof(used));
    memset(used, 0x11, sizeof(used));
    order(&f, "wild-write 5");
    EXPECT(memcmp(first, used, sizeof(used)) == 0);
    order(&f, "wild-write 6");
    EXPECT(memcmp(first, used, sizeof(used)) != 0);
    /* What is nobody's reads as ones, and is left alone. */
    memset(used, 0xff, sizeof(used));
    order(&f, "wild-write 7");
    EXPECT(changed(used[0], sizeof(used), 0xff) == 0);
}

TEST(corrupt_rings)
{
    struct fault f = open_it(3);

    memset(ring, 0x22, sizeof(ring));
    order(&f, "corrupt-ring 1");
    EXPECT(changed(ring, sizeof(ring), 0x22) > 200 && changed(ring, sizeof(ring), 0x22) <= 256);
    has_ring = false;
    memset(ring, 0x22, sizeof(ring));
    order(&f, "corrupt-ring 1");
    EXPECT(changed(ring, sizeof(ring), 0x22) == 0);
    EXPECT(strstr(fake_log_last(), "no front end"));
    has_ring = true;
}

TEST(flipped_bits)
{
    struct fault f = open_it(3);
    unsigned bits = 0;

    memset(text, 0, sizeof(text));
    order(&f, "flip 9");
    EXPECT(text_was_open && !text_is_open);
    for (size_t i = 0; i < sizeof(text); i++)
        bits += (unsigned)__builtin_popcount(text[i]);
    EXPECT(bits > 55 && bits <= 64);
}

TEST(all_memory_leaks)
{
    struct fault f = open_it(3);

    EXPECT(memory_pages_alloc(1));
    order(&f, "leak 1");
    EXPECT(!memory_pages_alloc(1));
}

TEST(devices_reach_memory_no_more)
{
    struct fault f = open_it(3);

    played_init(0x1b36, 0x0010, 0x010802);
    played.config[PCI_COMMAND] = PCI_COMMAND_MASTER | PCI_COMMAND_MEMORY;
    order(&f, "stall-dma 1");
    EXPECT(played.config[PCI_COMMAND] == PCI_COMMAND_MEMORY);
}
