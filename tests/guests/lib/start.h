/* The life of a tiny guest: what the kit hands to it and how it ends. */
#ifndef GUEST_START_H
#define GUEST_START_H

#include <abi/start.h>
#include <stdbool.h>

/* Every guest has one; the kit's own runs the tests of check.h. Returning is powering off. */
void guest_run(void);

const struct hvm_start_info *start_info(void);

/* What follows KEY on the command line ("n=" gives the number's digits on), or NULL. */
const char *start_option(const char *key);

/* A decimal option, or what stands in for it. */
unsigned long start_number(const char *key, unsigned long otherwise);

/* The guest's own domain id, DOMID_INVALID if the hypervisor does not say it. */
domid_t start_self(void);

_Noreturn void start_power_off(void);
_Noreturn void start_crash(void);

#endif
