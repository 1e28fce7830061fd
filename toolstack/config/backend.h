/* Which domain serves a disk or an interface. */
#ifndef BACKEND_H
#define BACKEND_H

#include "config.h"

#define BACKEND_TEXT_MAX 400

/* What all checks over domains work on. */
struct check {
    struct domain_config *const *domains;
    size_t count;
    const struct config_limits *limits;
    struct diagnostics *list;
};

/* Sets served->backend, or writes why there is none, and the line to blame. */
int backend_find(const struct check *check, const struct domain_config *domain,
                 struct config_served *served, unsigned *line, char *text, size_t len);

/*
 * Which domains wait, directly or not, for themselves: sets in_cycle[i] for
 * each of them (or for one that lies between two such circles).
 */
void backend_find_cycles(const struct check *check, bool *in_cycle);

#endif
