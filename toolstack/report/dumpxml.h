/* A domain's configuration as XML again: what dumpxml shows and create accepts. */
#ifndef DUMPXML_H
#define DUMPXML_H

#include "config.h"

/* `id` 0: the domain does not run. The text is for the caller to free; NULL: no memory. */
char *dumpxml_text(const struct domain_config *domain, unsigned id);

#endif
