/* What disks and interfaces have in common: they are served by another domain. */
#include "config.h"

#include <stddef.h>
#include <stdio.h>

size_t config_served_count(const struct domain_config *domain)
{
    return domain->disk_count + domain->interface_count;
}

struct config_served *config_served(const struct domain_config *domain, size_t index)
{
    if (index < domain->disk_count)
        return &domain->disks[index].served;
    return &domain->interfaces[index - domain->disk_count].served;
}

/* What the common part stands in, by its class. */
_Static_assert(offsetof(struct config_disk, served) == 0, "a disk begins with its common part");
_Static_assert(offsetof(struct config_interface, served) == 0, "so does an interface");

const struct config_disk *config_disk_of(const struct config_served *served)
{
    return (const struct config_disk *)served;
}

const struct config_interface *config_interface_of(const struct config_served *served)
{
    return (const struct config_interface *)served;
}

const char *config_served_label(const struct config_served *served, char text[CONFIG_LABEL_MAX])
{
    if (served->class == CONFIG_DISK)
        (void)snprintf(text, CONFIG_LABEL_MAX, "disk %s", config_disk_of(served)->target);
    else
        (void)snprintf(text, CONFIG_LABEL_MAX, "interface %u", served->number);
    return text;
}
