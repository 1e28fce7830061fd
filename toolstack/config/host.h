/* Reads the XML tree of host.xml. */
#ifndef HOST_H
#define HOST_H

#include "domain.h"

/* -EINVAL with messages if the file is bad. */
int host_read(const struct source *source, struct host_config **out, struct diagnostics *list,
              struct domain_verdict *verdict);

#endif
