/*
 * What a victim and who attacks it say to each other, in a page that the victim
 * lends; and the pattern in the victim's memory, by which it knows whether that
 * was touched, and who can read it knows what it found.
 */
#ifndef GUEST_MAIL_H
#define GUEST_MAIL_H

#include <abi/xen.h>

#define MAIL_REF   16u
#define MAIL_LENT  17u /* the page that was asked for */
#define MAIL_MAGIC 0x6d61696c626f7821ull

enum mail_wish {
    MAIL_LEND,
    MAIL_LEND_READONLY,
    MAIL_TAKE_BACK, /* answer: 1, or 0 if it is still mapped */
    MAIL_COUNT,     /* answer: how many pages have changed since; they are made good again */
    MAIL_END,
};

struct mail {
    uint64_t magic;
    uint32_t wishes;  /* so many were written */
    uint32_t answers; /* so many of them are done */
    uint32_t wish;    /* enum mail_wish */
    uint32_t page;    /* which of the victim's pages */
    uint32_t answer;
};

/* Each 16 bytes of a page: this, and the page's number. */
#define PATTERN_MAGIC 0x766963746d6d656dull
#define PATTERN_BASE  0x200000ull /* in the victim's memory: behind its image */

/* The victim's initrd, as it is in the bundle, which the control domain has in its memory. */
#define BUNDLE_TEXT "-memory-control-"

#endif
