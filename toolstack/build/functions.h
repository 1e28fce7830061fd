/* The host's PCI functions, asked of the core. */
#ifndef BUILD_FUNCTIONS_H
#define BUILD_FUNCTIONS_H

#include <config/group.h>

/* All of them, with their groups; owners are those of this moment. Negative: nothing to free. */
int functions_read(struct group_table *out) __attribute__((warn_unused_result));
void functions_free(struct group_table *table);

#endif
