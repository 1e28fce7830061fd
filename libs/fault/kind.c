/* The names of faults, and orders as text. */
#include "fault_kind.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static const char *const names[FAULT_KINDS] = {
    [FAULT_CRASH] = "crash",
    [FAULT_HANG] = "hang",
    [FAULT_WILD_WRITE] = "wild-write",
    [FAULT_STALL_DMA] = "stall-dma",
    [FAULT_CORRUPT_RING] = "corrupt-ring",
    [FAULT_LEAK] = "leak",
    [FAULT_FLIP] = "flip",
};

const char *fault_kind_name(enum fault_kind kind)
{
    return names[kind];
}

bool fault_kind_find(const char *name, enum fault_kind *kind)
{
    for (size_t i = 0; i < FAULT_KINDS; i++) {
        if (strcmp(names[i], name) != 0)
            continue;
        *kind = (enum fault_kind)i;
        return true;
    }
    return false;
}

bool fault_seed_read(const char *text, uint64_t *seed)
{
    uint64_t value = 0;

    if (*text == '\0')
        return false;
    for (; *text; text++) {
        uint64_t digit = (uint64_t)*text - '0';

        if (digit > 9 || value > (UINT64_MAX - digit) / 10)
            return false;
        value = value * 10 + digit;
    }
    *seed = value;
    return true;
}

void fault_order_write(const struct fault_order *order, char text[FAULT_ORDER_LEN])
{
    (void)snprintf(text, FAULT_ORDER_LEN, "%s %" PRIu64, names[order->kind], order->seed);
}

bool fault_order_read(struct fault_order *order, const char *text)
{
    const char *blank = strchr(text, ' ');
    char name[16];

    if (!blank || (size_t)(blank - text) >= sizeof(name))
        return false;
    memcpy(name, text, (size_t)(blank - text));
    name[blank - text] = '\0';
    return fault_kind_find(name, &order->kind) && fault_seed_read(blank + 1, &order->seed);
}
