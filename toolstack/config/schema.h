/* The RELAX NG schemas, as a second opinion on what the tables let pass. */
#ifndef SCHEMA_H
#define SCHEMA_H

#include "source.h"

enum schema_kind { SCHEMA_DOMAIN, SCHEMA_HOST };

/* A parsed schema; it costs some 100 KiB, so it is kept only while files are read. */
struct schema {
    void *grammar;
};

/* 0 or -ENOMEM. */
int schema_open(struct schema *schema, enum schema_kind kind);
void schema_close(struct schema *schema);

/* 0; -EINVAL, with the first complaint in the list; -ENOMEM. */
int schema_check(const struct schema *schema, const struct source *source,
                 struct diagnostics *list);

/* Made by schema/embed.sh from schema/NAME.rng. */
extern const unsigned char schema_domain[], schema_host[];
extern const unsigned int schema_domain_len, schema_host_len;

#endif
