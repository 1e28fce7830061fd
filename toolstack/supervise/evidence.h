/* What is left of a domain's last crash: copied out before the domain is cleared for its next life.
 */
#ifndef EVIDENCE_H
#define EVIDENCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <abi/event.h>
#include <abi/life.h>

#define EVIDENCE_STACK 8192u

/* The pages are as the domain left them: hostile. */
struct evidence {
    domid_t domid;
    unsigned life;    /* which of the entry's lives, from 1 */
    const char *what; /* "crashed" ... */
    char *kernel;     /* the image that it ran */
    uint64_t started; /* ns of clock_now */
    uint64_t died;
    bool has_page;
    struct life_page page;
    uint64_t stack_base; /* where the next bytes lay */
    size_t stack_len;
    uint8_t stack[EVIDENCE_STACK];
};

/* A domain that powered off, but whose program did not come to its end. */
bool evidence_is_halt(domid_t domid);

struct entry;

/* Of the control domain itself: what its last life left on its page, and its number. */
void evidence_take(struct entry *e, const struct life_page *page, unsigned life, const char *what);

/* Keeps what is left of an entry's domain, in place of what was kept before. */
void evidence_keep(struct entry *e, const char *what);
void evidence_free(struct evidence *e);

#endif
