/* What the setters of a domain's elements work on. */
#ifndef READING_H
#define READING_H

#include "walk.h"

struct reading {
    struct domain_config *domain;
    uint64_t scale; /* of the memory element that is read now */
};

static inline struct reading *reading_of(struct walk *walk)
{
    return walk->out;
}

static inline struct domain_config *reading_domain(struct walk *walk)
{
    return reading_of(walk)->domain;
}

/* Complains about a path that climbs or stands still: it would leave the bundle. */
void reading_check_path(struct walk *walk, const char *path, unsigned line);

/* What interfaces were not given, when all of the domain is known. */
void interface_fill_in(struct domain_config *domain);

/* Keeps a copy; frees what stood there before. */
int reading_keep(char **field, const char *text);

#endif
