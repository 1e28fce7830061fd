/*
 * Records of a back end's devices in memory that outlives the domain: each is
 * found again by its guest and number. Whoever finds one treats its content as
 * hostile input.
 */
#ifndef BUS_KEEP_H
#define BUS_KEEP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <abi/xen.h>

#define BUS_KEEP_MAX 64u

struct bus_keep {
    uint8_t *area;
    size_t size; /* of a record */
    uint32_t count;
    bool claimed[BUS_KEEP_MAX];
};

/* Memory that count records of a size take. */
static inline size_t bus_keep_len(uint32_t count, size_t size)
{
    return count * (sizeof(uint64_t) + size);
}

/* Over memory of bus_keep_len bytes; size is a multiple of 8, count BUS_KEEP_MAX at most. */
void bus_keep_open(struct bus_keep *k, void *area, uint32_t count, size_t size);

/* The device's record: that of the last life, or one whose content means nothing. NULL: none is
 * left. */
void *bus_keep_claim(struct bus_keep *k, domid_t guest, uint32_t number);
void bus_keep_drop(struct bus_keep *k, const void *record);

/* Whose the i-th record is, as far as it says so: a claim. False: nobody's. */
bool bus_keep_owner(const struct bus_keep *k, uint32_t i, domid_t *guest, uint32_t *number);

#endif
