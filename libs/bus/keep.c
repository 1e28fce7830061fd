/* Which record is whose: a word before each names its guest and its number. */
#include "bus_keep.h"

#include <shm.h>

#define NOBODY 0u

static uint64_t *owner_of(const struct bus_keep *k, uint32_t i)
{
    return (uint64_t *)(void *)(k->area + i * (sizeof(uint64_t) + k->size));
}

static void *record_of(const struct bus_keep *k, uint32_t i)
{
    return owner_of(k, i) + 1;
}

void bus_keep_open(struct bus_keep *k, void *area, uint32_t count, size_t size)
{
    *k = (struct bus_keep){.area = area, .size = size, .count = count};
}

/*
 * One that nobody uses: the device's own, else an empty one, else one that the
 * last life left and whose device may be gone.
 */
static int find(const struct bus_keep *k, uint64_t owner)
{
    int found = -1;
    bool empty = false;

    for (uint32_t i = 0; i < k->count; i++) {
        uint64_t has = shm_read64(owner_of(k, i));

        if (k->claimed[i])
            continue;
        if (has == owner)
            return (int)i;
        if (found < 0 || (has == NOBODY && !empty)) {
            found = (int)i;
            empty = has == NOBODY;
        }
    }
    return found;
}

void *bus_keep_claim(struct bus_keep *k, domid_t guest, uint32_t number)
{
    uint64_t owner = (uint64_t)guest << 32 | number; /* no guest has the number 0 */
    int i = find(k, owner);

    if (i < 0)
        return NULL;
    k->claimed[i] = true;
    shm_write64(owner_of(k, (uint32_t)i), owner);
    return record_of(k, (uint32_t)i);
}

void bus_keep_drop(struct bus_keep *k, const void *record)
{
    for (uint32_t i = 0; i < k->count; i++) {
        if (record_of(k, i) != record)
            continue;
        k->claimed[i] = false;
        shm_write64(owner_of(k, i), NOBODY);
    }
}

bool bus_keep_owner(const struct bus_keep *k, uint32_t i, domid_t *guest, uint32_t *number)
{
    uint64_t owner = shm_read64(owner_of(k, i));

    *guest = (domid_t)(owner >> 32);
    *number = (uint32_t)owner;
    return owner >> 32 != 0 && owner >> 32 < DOMID_FIRST_RESERVED;
}
