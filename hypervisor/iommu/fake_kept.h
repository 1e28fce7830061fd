/*
 * For tests: what an AMD-Vi unit has read of memory, which it keeps until it is told
 * to forget just that.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define KEPT_BDFS    0x800u /* names that functions have in tests */
#define KEPT_STEPS   256u
#define KEPT_PAGES   256u
#define KEPT_ENTRIES 256u

#define KEPT_ADDRESS     0x000ffffffffff000ull
#define KEPT_RIGHTS(e)   ((unsigned)((e) >> 61) & 3)
#define KEPT_RIGHT_READ  1u
#define KEPT_RIGHT_WRITE 2u

struct kept_device {
    uint64_t word[4];
    bool known;
};
struct kept_step { /* an entry that names a table */
    uint64_t owner, prefix, table;
    unsigned level, rights; /* level 0: free */
};
struct kept_page {
    uint64_t owner, gfn, mfn;
    unsigned rights; /* 0: nothing is there */
    bool known;
};
struct kept_entry { /* for an interrupt */
    uint16_t bdf, index;
    uint32_t value;
    bool known;
};

struct kept {
    bool coherent; /* it reads memory through the CPU's caches */
    bool absent;   /* it keeps what is not there as well */
    struct kept_device device[KEPT_BDFS];
    struct kept_step step[KEPT_STEPS];
    struct kept_page page[KEPT_PAGES];
    struct kept_entry entry[KEPT_ENTRIES];
};

/* A function's entry, by the register that tells of the table; NULL: it is not that long. */
const struct kept_device *kept_device(struct kept *k, uint64_t table, uint16_t bdf);

/* Where a page of the function's owner is; NULL: nowhere, by a reserved bit or not. */
const struct kept_page *kept_page(struct kept *k, const struct kept_device *d, uint64_t gfn,
                                  bool *reserved);

uint32_t kept_entry(struct kept *k, uint64_t table, uint16_t bdf, uint16_t index);

void kept_forget_device(struct kept *k, uint16_t bdf);
void kept_forget_entries(struct kept *k, uint16_t bdf);

/* Pages of an owner, by the second word of the command: which, and tables on the way as well. */
void kept_forget_pages(struct kept *k, uint64_t owner, uint64_t which);

void kept_forget_all(struct kept *k);
