/* What tests of lives start from: a block domain, a net domain and a guest, over the pretend core.
 */
#ifndef SUPERVISE_RIG_H
#define SUPERVISE_RIG_H

#include <fake_core.h>

#include "supervise.h"

#define SECOND 1000000000ull
#define MS     1000000ull

extern struct config_hostdev nvme;
extern struct config_disk xvda;     /* of guest, served by block */
extern struct config_interface vif; /* of nobody until a test says so; served by net */
extern struct domain_config block; /* a Linux domain with a PCI function, unless a test says else */
extern struct domain_config net;
extern struct domain_config guest;
extern struct supervise s;
extern struct entry *block_entry;
extern struct entry *guest_entry;

/* Store is domain 14, console domain 15; the host's own two domains begin at 1. */
void begin(void);
void end(void);

/* Both run; the driver domain is 1, the guest 2. */
void begin_running(void);

/* The same with a driver domain of ours, which is to be restarted. */
void begin_ours(void);

/* As begin_ours, and a service that runs, as services_start leaves it: 14 is the store. */
struct entry *begin_service(struct domain_config *config, domid_t domid);

bool is_node(const char *path, const char *value);

#endif
