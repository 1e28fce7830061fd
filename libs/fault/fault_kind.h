/* The kinds of faults that can be ordered, and how an order stands in the store. Pure. */
#ifndef FAULT_KIND_H
#define FAULT_KIND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Word of a domain's command line: it takes orders. */
#define FAULT_WORD "inject=yes"
/* The node below a domain's home that an order is written to: "KIND SEED". */
#define FAULT_NODE "control/inject"

#define FAULT_ORDER_LEN 64u

enum fault_kind {
    FAULT_CRASH,        /* an undefined instruction */
    FAULT_HANG,         /* a loop that nothing interrupts */
    FAULT_WILD_WRITE,   /* stores to wherever the domain may write */
    FAULT_STALL_DMA,    /* its devices reach memory no more */
    FAULT_CORRUPT_RING, /* bytes of a ring that a front end shares */
    FAULT_LEAK,         /* all its memory is taken and not given back */
    FAULT_FLIP,         /* bits of its own instructions */
    FAULT_KINDS,
};

struct fault_order {
    enum fault_kind kind;
    uint64_t seed; /* with the same one the same happens, as far as memory is the same */
};

/* The kind's name, as users write it. */
const char *fault_kind_name(enum fault_kind kind);
bool fault_kind_find(const char *name, enum fault_kind *kind);

/* An order as text, and back; false: the text is no order. */
void fault_order_write(const struct fault_order *order, char text[FAULT_ORDER_LEN]);
bool fault_order_read(struct fault_order *order, const char *text);

/* A decimal number and nothing else. */
bool fault_seed_read(const char *text, uint64_t *seed);

#endif
