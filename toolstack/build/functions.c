/* Asks the core for one function after the other. */
#include "functions.h"

#include <errno.h>
#include <stdlib.h>

#include <hcall.h>

#define STEP 32u

static int grow(struct group_table *table)
{
    struct bulkhead_pci_info *more;

    if (table->count % STEP != 0)
        return 0;
    more = realloc(table->functions, (table->count + STEP) * sizeof(*more));
    if (!more)
        return -ENOMEM;
    table->functions = more;
    return 0;
}

int functions_read(struct group_table *out)
{
    struct group_table table = {0};
    int rc;

    while ((rc = grow(&table)) == 0) {
        struct bulkhead_pci_info *next = &table.functions[table.count];

        *next = (struct bulkhead_pci_info){.index = (uint32_t)table.count};
        rc = hcall_pci_info(next);
        if (rc < 0)
            break;
        table.count++;
    }
    table.groups = calloc(table.count + 1, sizeof(*table.groups));
    if (rc == -ENOENT)
        rc = table.groups ? 0 : -ENOMEM;
    if (rc < 0) {
        functions_free(&table);
        return rc;
    }
    group_find(&table);
    *out = table;
    return 0;
}

void functions_free(struct group_table *table)
{
    free(table->functions);
    free(table->groups);
    *table = (struct group_table){0};
}
