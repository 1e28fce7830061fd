/* Who starts when: backends before who uses them, else in the order of host.xml. */
#include "config.h"

/* Writes what a domain needs, then the domain, unless it stands there already. */
static size_t place(struct domain_config *domain, struct domain_config **out, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (out[i] == domain)
            return count;
    }
    for (size_t i = 0; i < config_served_count(domain); i++) {
        struct domain_config *backend = config_served(domain, i)->backend;

        if (backend)
            count = place(backend, out, count);
    }
    out[count] = domain;
    return count + 1;
}

size_t config_order(struct domain_config *const *domains, size_t count, struct domain_config **out)
{
    size_t placed = 0;

    for (size_t i = 0; i < count; i++) {
        if (domains[i]->autostart && !domains[i]->refused)
            placed = place(domains[i], out, placed);
    }
    return placed;
}
