/* The core's log, read by those who look for something in it. */
#ifndef CORELOG_H
#define CORELOG_H

#include <abi/xen.h>

/* What the core said when it ended a domain, the last time; NULL: nothing. To be freed. */
char *corelog_of_crash(domid_t domid, const char *name);

#endif
