/* The RELAX NG schemas, as a second opinion on what the tables let pass. */
#ifndef SCHEMA_H
#define SCHEMA_H

#include "source.h"

enum schema_kind { SCHEMA_DOMAIN, SCHEMA_HOST };

/* 0; -EINVAL, with the first complaint in the list; -ENOMEM. */
int schema_check(enum schema_kind kind, const struct source *source, struct diagnostics *list);

/* Made by schema/embed.sh from schema/NAME.rng. */
extern const unsigned char schema_domain[], schema_host[];
extern const unsigned int schema_domain_len, schema_host_len;

#endif
