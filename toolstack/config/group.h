/*
 * Isolation groups: PCI functions that reach each other without passing the
 * IOMMU, or whose requests it cannot tell apart. All of a group go to one domain.
 */
#ifndef GROUP_H
#define GROUP_H

#include <abi/bulkhead.h>

#include "config.h"

/* The host's functions, as the core tells of them, and the number of each one's group. */
struct group_table {
    struct bulkhead_pci_info *functions;
    unsigned *groups;
    size_t count;
};

/* Fills in the groups, numbered from 0 in the order of their first functions. */
void group_find(struct group_table *table);

/* A function's place in the table; -1: the host has none there. */
int group_function_at(const struct group_table *table, uint32_t sbdf);

uint32_t group_sbdf(const struct config_hostdev *hostdev);

/* 0000:00:04.0 */
#define GROUP_NAME_MAX 16
const char *group_name(uint32_t sbdf, char text[GROUP_NAME_MAX]);

/*
 * Whether a domain has only a part of a group, of which its index-th function is
 * the first that it has; then text says so. Functions that the core keeps count
 * for nobody.
 */
#define GROUP_TEXT_MAX 400
bool group_is_torn(const struct group_table *table, const struct domain_config *domain,
                   size_t index, char text[GROUP_TEXT_MAX]);

#endif
