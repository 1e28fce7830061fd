/* Reads one domain's XML tree. */
#ifndef DOMAIN_H
#define DOMAIN_H

#include "schema.h"

/* How a file failed; tests compare this with the schema's opinion. */
struct domain_verdict {
    unsigned wrong;   /* complaints that the schema has as well */
    unsigned refused; /* complaints about values of the right form */
    uint64_t seen;    /* rows of the table that occurred */
};

/* -EINVAL with messages if the file is bad. */
int domain_read(const struct source *source, struct domain_config **out, struct diagnostics *list,
                struct domain_verdict *verdict);

/* The same for a file, which the schema is asked about as well. */
int domain_load(const struct config_root *root, const char *file, const struct schema *schema,
                struct domain_config **out, struct diagnostics *list);

#endif
