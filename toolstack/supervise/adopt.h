/*
 * A new life of the control domain finds what the last one left: asks the core
 * which domains there are and the store what the core does not know.
 */
#ifndef ADOPT_H
#define ADOPT_H

#include <stdbool.h>
#include <stdint.h>

#include <abi/control.h>

struct entry;
struct supervise;

/* The core's word on every domain but our own; NULL: no memory. To be freed. */
struct xen_domctl_getdomaininfo *adopt_list(size_t *count);

/*
 * An entry that is new in the table takes the domain as its own: it lives. How it
 * does shows at the next steps.
 */
void adopt_live(struct supervise *s, struct entry *e, domid_t domid);

/* It has begun a life in place that it never came to run, or was parked: it begins once more. */
bool adopt_is_half_renewed(const struct entry *e, const struct xen_domctl_getdomaininfo *info);

/*
 * Finds the domain of every entry whose file is known; the backends' must be in the
 * table as well. Those that are nobody's are said. How many domains there were.
 */
unsigned adopt_all(struct supervise *s);

/* A domain that is not there is to be started, as it was when the last life ended. */
bool adopt_wants_start(struct supervise *s, struct entry *e);

#endif
