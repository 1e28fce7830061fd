/* What the setters of a domain's elements work on. */
#ifndef READING_H
#define READING_H

#include "walk.h"

struct reading {
    struct domain_config *domain;
    uint64_t scale;           /* of the memory element that is read now */
    struct config_rate *rate; /* of the direction that is read now */
    size_t native; /* which tag of the <vlan> that is read now is native, from 1; 0: none */
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

/* What only the values together show; 0 or -ENOMEM. */
void device_check_disk(struct walk *walk, const struct config_disk *disk);
int interface_check(struct walk *walk, const struct domain_config *domain);
void interface_free(struct domain_config *domain);

void bridge_check(struct walk *walk, const struct domain_config *domain);
void bridge_free(struct domain_config *domain);
void lives_check(struct walk *walk, const struct domain_config *domain);

/* What interfaces were not given, when all of the domain is known. */
void interface_fill_in(struct domain_config *domain);

/* Keeps a copy; frees what stood there before. */
int reading_keep(char **field, const char *text);

#endif
