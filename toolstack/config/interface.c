/* Setters of a domain's network interfaces. */
#include <errno.h>
#include <stdlib.h>

#include "elements.h"
#include "reading.h"
#include "value.h"

static struct config_interface *interface_of(struct walk *walk)
{
    struct domain_config *domain = reading_domain(walk);

    return &domain->interfaces[domain->interface_count - 1];
}

int interface_begin(struct walk *walk)
{
    struct domain_config *domain = reading_domain(walk);
    struct config_interface *interfaces =
        realloc(domain->interfaces, (domain->interface_count + 1) * sizeof(*interfaces));

    if (!interfaces)
        return -ENOMEM;
    domain->interfaces = interfaces;
    interfaces[domain->interface_count] =
        (struct config_interface){.served = {.class = CONFIG_INTERFACE,
                                             .number = (uint32_t)domain->interface_count,
                                             .line = walk->line,
                                             .backend_line = walk->line},
                                  .mac_line = walk->line};
    domain->interface_count++;
    return 0;
}

int interface_set_bridge(struct walk *walk, const char *text)
{
    interface_of(walk)->served.source_line = walk->line;
    return reading_keep(&interface_of(walk)->bridge, text);
}

int interface_set_mac(struct walk *walk, const char *text)
{
    interface_of(walk)->mac_line = walk->line;
    interface_of(walk)->mac_given = true;
    value_mac(text, interface_of(walk)->mac);
    return 0;
}

int interface_set_backend(struct walk *walk, const char *text)
{
    interface_of(walk)->served.backend_line = walk->line;
    return reading_keep(&interface_of(walk)->served.backend_name, text);
}

void interface_fill_in(struct domain_config *domain)
{
    for (size_t i = 0; i < domain->interface_count; i++) {
        struct config_interface *interface = &domain->interfaces[i];

        if (!interface->mac_given)
            value_mac_of(domain->uuid, (uint32_t)i, interface->mac);
    }
}
