/*
 * The life page of a domain of ours: whether it still comes back to its main loop,
 * what it logged last, and what it says of its end. The builder makes it, the
 * domain writes it, the control domain reads it as hostile input.
 */
#ifndef ABI_LIFE_H
#define ABI_LIFE_H

#include <stddef.h>
#include <stdint.h>

#define LIFE_MAGIC 0x4546494cu /* "LIFE", by the builder: there is such a page */

/* What a domain said of its end; it is set when the rest of the record is. */
enum life_kind {
    LIFE_GOES_ON,   /* nothing: it lives, or had no time for a word */
    LIFE_EXCEPTION, /* vector, error and registers are those of an exception */
    LIFE_WORD,      /* it ended itself: why, and from where */
    LIFE_ORDERLY,   /* its program is done */
};

/* Registers by DWARF's numbers; of LIFE_WORD only the last two and RBP mean something. */
enum life_register { LIFE_RBP = 6, LIFE_RSP = 7, LIFE_RIP = 16, LIFE_REGISTERS = 17 };

#define LIFE_WHY 64

struct life_end {
    uint32_t kind;   /* enum life_kind */
    uint32_t vector; /* of an exception */
    uint64_t error;
    uint64_t address; /* CR2 */
    uint64_t flags;
    uint64_t registers[LIFE_REGISTERS];
    char why[LIFE_WHY]; /* NUL-terminated, by those who mean well */
};

/* How it is to fail on purpose, so that it can be seen how that is borne. */
enum life_order { LIFE_CRASH, LIFE_HANG, LIFE_LEAK, LIFE_ORDERS };

/* When it came where, ns of system time; 0: it has not. */
enum life_stamp {
    LIFE_MAIN,    /* its program begins */
    LIFE_DEVICES, /* its devices work */
    LIFE_SERVES,  /* who was served before is served again */
    LIFE_DIED,
    LIFE_STAMPS,
};

#define LIFE_LOG 3796u

struct life_page {
    uint32_t magic;  /* the builder's, like the port */
    uint32_t port;   /* what arrives there asks for a beat; 0: nobody will */
    uint32_t beat;   /* goes up whenever the domain is back in its main loop */
    uint32_t obeyed; /* goes up with each order, before it is carried out */
    struct life_end end;
    uint64_t when[LIFE_STAMPS];
    uint64_t logged;              /* bytes ever; byte n is log[n % LIFE_LOG] */
    uint32_t orders[LIFE_ORDERS]; /* the builder's: what arrives there is one; 0: none will */
    char log[LIFE_LOG];           /* the last of what it logged */
};

_Static_assert(offsetof(struct life_page, beat) == 8, "beat");
_Static_assert(offsetof(struct life_page, obeyed) == 12, "obeyed");
_Static_assert(offsetof(struct life_page, end) == 16, "end");
_Static_assert(offsetof(struct life_end, registers) == 32, "registers");
_Static_assert(sizeof(struct life_end) == 232, "record of an end");
_Static_assert(offsetof(struct life_page, logged) == 280, "logged");
_Static_assert(offsetof(struct life_page, orders) == 288, "orders");
_Static_assert(sizeof(struct life_page) == 4096, "the life page is a page");

#endif
