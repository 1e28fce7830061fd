/* Between two owners: what the first left in a function must not reach the second. */
#pragma once

#include "pci/function.h"

/* Begins the reset of all functions that were taken back, which are fenced and nobody's. */
void reset_start(void);

/*
 * Goes on with it, as far as it is time to. 0: over, it can be given away;
 * -XEN_EAGAIN: it takes a while; -XEN_EIO: the function has not come back, with
 * a logged line.
 */
MUST_USE int reset_poll(struct pci_function *f);
