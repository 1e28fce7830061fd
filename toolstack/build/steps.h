/*
 * The steps of a build, each in the file of what it is about. All return 0, or an error with
 * the reason in the build.
 */
#ifndef BUILD_STEPS_H
#define BUILD_STEPS_H

#include "domain.h"

#define MIB (1ull << 20)

/* Keeps the reason; the caller returns what this returns. */
int build_fail(struct build *b, int rc, unsigned line, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* For what the core refuses although everything was checked: its number is all there is to say. */
int build_refused(struct build *b, int rc, const char *what);

/* A control call about a domain, all but its command. */
struct xen_domctl build_control(domid_t domid);

/* frames.c: its memory. */
int step_plan_memory(struct build *b);
int step_allow_memory(struct build *b);
int step_take_exact(struct build *b); /* where memory lies decides what fits: before the places */
int step_find_places(struct build *b);
int step_give_memory(struct build *b);
int step_mend_memory(struct build *b); /* what a last life gave back */

/* images.c: what lies in it. */
int step_open_images(struct build *b);
int step_load_images(struct build *b);
int step_reload_images(struct build *b); /* where they were before */
int step_clear_images(struct build *b);  /* what they leave out, where a last life was */
int step_load_tables(struct build *b);

/* rings.c: the pages that it shares with store and console. */
int step_make_rings(struct build *b);
int step_renew_rings(struct build *b); /* the grants once more, and a store ring that is empty */

#endif
