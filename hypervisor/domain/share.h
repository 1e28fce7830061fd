/* Who may share with whom: pairs that the builder registered. Binds, maps and copies ask here. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "util/check.h"

struct domain;

/* A domain with itself, or a pair that either of the two lists (DOMID_INVALID: everyone). */
bool share_is_allowed(struct domain *a, struct domain *b);

/* -XEN_ENOMEM; adding twice or removing what is not there is no error. */
MUST_USE int share_add(struct domain *d, uint16_t peer);
void share_remove(struct domain *d, uint16_t peer);

/* Forgets all pairs of a domain that dies, in its own list and in everyone else's. */
void share_fini(struct domain *d);
