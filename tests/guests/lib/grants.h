/* Pages lent and borrowed: the grant table's own pages, entries, maps and unmaps. */
#ifndef GUEST_GRANTS_H
#define GUEST_GRANTS_H

#include <abi/grant.h>
#include <stdbool.h>

/* Puts the first page of the table in its place. 0, or an error. */
long grants_init(void);

/* A page for a domain, flags 0 or GTF_readonly; it has to be taken back before it is lent anew. */
void grants_lend(unsigned ref, const void *page, domid_t to, uint16_t flags);

/* False: somebody still has it mapped. */
bool grants_take_back(unsigned ref);

/* A page of its own is given back, and what is there from now on is nothing; or given again. */
long grants_hole(const void *page);
long grants_fill(const void *page);

/* Over such a hole. 0 and *handle, or a status. */
long grants_map(const void *hole, domid_t owner, unsigned ref, uint32_t flags, uint32_t *handle);
long grants_unmap(const void *hole, uint32_t handle);

#endif
