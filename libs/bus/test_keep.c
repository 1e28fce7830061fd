/* Records that outlive whoever claimed them. */
#include "bus_keep.h"

#include <string.h>

#include "check.h"

#define COUNT 4u
#define SIZE  16u

static uint64_t area[COUNT * (8 + SIZE) / 8];

static uint64_t *claim(struct bus_keep *k, domid_t guest, uint32_t number)
{
    return bus_keep_claim(k, guest, number);
}

static void begin(struct bus_keep *k)
{
    EXPECT(sizeof(area) == bus_keep_len(COUNT, SIZE));
    memset(area, 0, sizeof(area));
    bus_keep_open(k, area, COUNT, SIZE);
}

TEST(a_next_life_finds_what_was_left)
{
    struct bus_keep k;

    begin(&k);
    for (uint32_t i = 1; i <= 3; i++)
        *claim(&k, (domid_t)i, 51712) = i;
    bus_keep_open(&k, area, COUNT, SIZE);
    /* In another order, and with one that is new between them. */
    EXPECT(*claim(&k, 3, 51712) == 3);
    EXPECT(*claim(&k, 4, 51712) == 0);
    EXPECT(*claim(&k, 1, 51712) == 1);
    EXPECT(*claim(&k, 2, 51712) == 2);
    EXPECT(!claim(&k, 5, 51712));
}

TEST(what_is_dropped_is_nobodys)
{
    struct bus_keep k;
    uint64_t *record;

    begin(&k);
    record = claim(&k, 1, 7);
    *record = 99;
    bus_keep_drop(&k, record);
    bus_keep_open(&k, area, COUNT, SIZE);
    for (uint32_t i = 0; i < COUNT; i++)
        EXPECT(claim(&k, 2, i));
}

/* Devices that went while nobody served: their records are used when no other is left. */
TEST(what_nobody_claims_is_used_last)
{
    struct bus_keep k;

    begin(&k);
    for (uint32_t i = 0; i < COUNT - 1; i++)
        *claim(&k, 1, i) = i + 1;
    bus_keep_open(&k, area, COUNT, SIZE);
    EXPECT(*claim(&k, 9, 0) == 0);
    EXPECT(*claim(&k, 1, 2) == 3);
    EXPECT(claim(&k, 9, 1));
    EXPECT(claim(&k, 9, 2));
    EXPECT(!claim(&k, 9, 3));
}

/* Whatever a last life left there: every claim has a record of its own. */
TEST(any_content)
{
    struct bus_keep k;
    uint64_t *records[COUNT];

    begin(&k);
    memset(area, 0xff, sizeof(area));
    for (uint32_t i = 0; i < COUNT; i++) {
        records[i] = claim(&k, 7, i);
        EXPECT(records[i]);
        for (uint32_t n = 0; n < i; n++)
            EXPECT(records[n] != records[i]);
    }
}

TEST(owners_are_told)
{
    struct bus_keep k;
    domid_t guest;
    uint32_t number;

    begin(&k);
    EXPECT(!bus_keep_owner(&k, 0, &guest, &number));
    EXPECT(claim(&k, 3, 51712));
    EXPECT(bus_keep_owner(&k, 0, &guest, &number) && guest == 3 && number == 51712);
    memset(area, 0xff, sizeof(area));
    EXPECT(!bus_keep_owner(&k, 0, &guest, &number));
}
