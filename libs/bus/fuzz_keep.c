/* Any bytes as what a last life left; then claims and drops: no record has two owners. */
#include "bus_keep.h"

#include <stdlib.h>
#include <string.h>

#define COUNT 6u
#define SIZE  24u

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void need(bool holds)
{
    if (!holds)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    static uint64_t area[COUNT * (sizeof(uint64_t) + SIZE) / sizeof(uint64_t)];
    void *held[COUNT] = {NULL};
    struct bus_keep k;
    size_t taken = len < sizeof(area) ? len : sizeof(area);

    memset(area, 0, sizeof(area));
    memcpy(area, data, taken);
    bus_keep_open(&k, area, COUNT, SIZE);
    for (size_t i = taken; i < len; i++) {
        void **h = &held[data[i] % COUNT];

        if (*h) {
            bus_keep_drop(&k, *h);
            *h = NULL;
            continue;
        }
        *h = bus_keep_claim(&k, data[i] >> 4, data[i] & 3);
        for (unsigned n = 0; n < COUNT; n++)
            need(&held[n] == h || !*h || held[n] != *h);
        need(*h); /* there are as many records as owners */
        memset(*h, data[i], SIZE);
    }
    return 0;
}
