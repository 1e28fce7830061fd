/* Setters of a net domain's bridges. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "elements.h"
#include "reading.h"
#include "value.h"

static struct config_bridge *bridge_of(struct walk *walk)
{
    return &reading_domain(walk)->bridges[reading_domain(walk)->bridge_count - 1];
}

int bridge_begin(struct walk *walk)
{
    struct domain_config *domain = reading_domain(walk);
    struct config_bridge *bridges =
        realloc(domain->bridges, (domain->bridge_count + 1) * sizeof(*bridges));

    if (!bridges)
        return -ENOMEM;
    domain->bridges = bridges;
    bridges[domain->bridge_count++] = (struct config_bridge){.line = walk->line};
    return 0;
}

int bridge_set_name(struct walk *walk, const char *text)
{
    return reading_keep(&bridge_of(walk)->name, text);
}

int bridge_set_nic(struct walk *walk, const char *text)
{
    bridge_of(walk)->nic = value_number(text);
    return 0;
}

static void check_bridge(struct walk *walk, const struct domain_config *domain, size_t index)
{
    const struct config_bridge *bridge = &domain->bridges[index];

    if (!config_is_net(domain))
        walk_refuse(walk, bridge->line,
                    "bridges are a net domain's: remove it, or write <kernel>" CONFIG_NET_IMAGE
                    "</kernel>");
    else if (bridge->nic >= domain->hostdev_count)
        walk_refuse(walk, bridge->line,
                    "nic='%u' is no <hostdev> of this domain, which has %zu: write a smaller "
                    "number, they count from 0",
                    bridge->nic, domain->hostdev_count);
    for (size_t i = 0; i < index; i++) {
        const struct config_bridge *other = &domain->bridges[i];

        if (strcmp(bridge->name, other->name) == 0)
            walk_refuse(walk, bridge->line, "bridge '%s' has a NIC at line %u: write another name",
                        bridge->name, other->line);
        else if (bridge->nic == other->nic)
            walk_refuse(walk, bridge->line,
                        "NIC %u belongs to bridge '%s' at line %u: write "
                        "another one",
                        bridge->nic, other->name, other->line);
    }
}

void bridge_check(struct walk *walk, const struct domain_config *domain)
{
    for (size_t i = 0; i < domain->bridge_count; i++)
        check_bridge(walk, domain, i);
}

void bridge_free(struct domain_config *domain)
{
    for (size_t i = 0; i < domain->bridge_count; i++)
        free(domain->bridges[i].name);
    free(domain->bridges);
}
