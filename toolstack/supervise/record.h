/*
 * What the control domain's next life cannot see in the core, noted in the store
 * when it comes about: below /bulkhead, which nobody else may read. Without a note a
 * domain that is there runs, and one of host.xml that is not there is to.
 */
#ifndef RECORD_H
#define RECORD_H

#include <stdbool.h>
#include <stdint.h>

#include <store_client.h>

struct entry;
struct supervise;

/* What is to become of a domain: the state in which it lies, or which follows its end. */
enum record_next {
    RECORD_RUNS,    /* it runs, or is to */
    RECORD_RESTART, /* it is being ended, to begin anew */
    RECORD_STOPPED,
    RECORD_FAILED,
};

void record_next(struct supervise *s, const struct entry *e, enum record_next next);
enum record_next record_next_of(struct supervise *s, const struct entry *e);

/* Started by hand, from a file that host.xml may not name. */
void record_created(struct supervise *s, const struct entry *e);
bool record_is_created(struct supervise *s, const struct entry *e);

/* The files of all that were, each once; NULL: no more. */
typedef void record_found(void *context, const char *file);
void record_each_created(struct supervise *s, record_found *found, void *context);

/* By whom its devices are served. */
void record_backends(struct supervise *s, const struct entry *e);
void record_backends_of(struct supervise *s, struct entry *e);

/* The image it runs in place of its file's kernel, and the one before, while it is on trial. */
void record_image(struct supervise *s, const struct entry *e);
void record_image_of(struct supervise *s, struct entry *e);

/* The host is going down: at this time (ns of clock_now) at the latest, 0: at once. */
void record_leave(struct supervise *s, uint64_t time);
bool record_is_leaving(struct supervise *s);
uint64_t record_leave_time(struct supervise *s);

/* Nothing is known of it any more. */
void record_forget(struct supervise *s, const struct entry *e);

#endif
