/* Domains over the pretend machine: real memory, grants and channels; nobody runs in them. */
#ifndef FAKE_DOMAIN_H
#define FAKE_DOMAIN_H

#include "domain/domain.h"

#define FAKE_DOMAINS      3u
#define FAKE_DOMAIN_PAGES 16u /* of RAM, from frame 0 */

extern struct domain fake_domain[FAKE_DOMAINS];

/* Fresh domains 0, 1, 2, all pairs of each other, each with one vCPU. */
void fake_domains(void);

/* The same on a machine that is there already. */
void fake_domains_make(void);

/* As their end: mappings down, channels closed, memory back. All else must be undone already. */
void fake_domains_end(void);

/* How often a domain was crashed. */
extern unsigned fake_crashes;

/* How often a vCPU was woken. */
extern unsigned fake_wakes;

/* Bytes of the pool that stay in use when the domains have ended. */
extern uint64_t fake_pool_kept;

/* Two domains that may not share, in both directions; FAKE_DOMAINS: none. */
extern unsigned fake_strangers[2];

/* Whose devices reach frames that were taken away; FAKE_DOMAINS: nobody's. */
extern unsigned fake_unsafe;

#endif
