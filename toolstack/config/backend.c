/*
 * Which domain serves a disk or an interface: the one that is named, or the
 * host's only one. For disks that is a domain that owns a PCI function and runs
 * our block image or, on a host without any such, a kernel that is not ours and
 * has no disks; for interfaces one that runs our net image. By name any domain
 * may serve that has a kernel of its own.
 */
#include "backend.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "walk.h"

#define BLOCK_SOURCES                                                                              \
    "/dev/(nvme[0-9]{1,3}n[0-9]{1,3}(p[0-9]{1,3})?|vd[a-z][0-9]{0,3}|disk/by-partlabel/[!-.0-~]+)"

#define FIRST "correct the files that cannot be read first"

/* Who serves a class of devices by itself, and how it is described. */
struct server {
    const char *image;
    bool needs_hostdev;
    const char *what;     /* it serves */
    const char *describe; /* one, where there is none */
};

static const struct server servers[] = {
    [CONFIG_DISK] = {CONFIG_IMAGES "block.elf", true, "disks",
                     "one with a <hostdev> and <kernel>" CONFIG_IMAGES "block.elf</kernel>"},
    [CONFIG_INTERFACE] = {CONFIG_NET_IMAGE, false, "interfaces",
                          "one with <kernel>" CONFIG_NET_IMAGE "</kernel>"},
};

static bool runs_image(const struct domain_config *domain, enum config_class class)
{
    return strcmp(domain->kernel, servers[class].image) == 0;
}

/* Runs the image that serves these devices, and has what it needs for that. */
static bool is_server(const struct domain_config *domain, enum config_class class)
{
    return runs_image(domain, class) &&
           (domain->hostdev_count > 0 || !servers[class].needs_hostdev);
}

bool config_is_net(const struct domain_config *domain)
{
    return is_server(domain, CONFIG_INTERFACE);
}

bool config_announces(const struct domain_config *domain)
{
    return is_server(domain, CONFIG_DISK) || config_is_net(domain);
}

static bool has_server(const struct check *check, enum config_class class)
{
    for (size_t i = 0; i < check->count; i++) {
        if (is_server(check->domains[i], class))
            return true;
    }
    return false;
}

static bool may_serve(const struct check *check, const struct domain_config *domain,
                      const struct domain_config *user, enum config_class class)
{
    if (domain == user)
        return false;
    if (class != CONFIG_DISK || has_server(check, class))
        return is_server(domain, class);
    return domain->hostdev_count > 0 && !config_is_image(domain) && domain->disk_count == 0;
}

/* The names of all that may serve, "a, b"; returns how many, and the last one. */
static size_t list_servers(const struct check *check, const struct domain_config *user,
                           enum config_class class, struct domain_config **last, char *text,
                           size_t len)
{
    size_t count = 0;
    size_t used = 0;

    text[0] = '\0';
    for (size_t i = 0; i < check->count; i++) {
        if (!may_serve(check, check->domains[i], user, class))
            continue;
        *last = check->domains[i];
        if (used < len)
            used += (size_t)snprintf(text + used, len - used, "%s%s", count ? ", " : "",
                                     check->domains[i]->name);
        count++;
    }
    return count;
}

static struct domain_config *find_name(const struct check *check, const char *name)
{
    for (size_t i = 0; i < check->count; i++) {
        if (strcmp(check->domains[i]->name, name) == 0)
            return check->domains[i];
    }
    return NULL;
}

static int find_only(const struct check *check, const struct domain_config *domain,
                     struct config_served *served, char *text, size_t len)
{
    const struct server *server = &servers[served->class];
    char names[BACKEND_TEXT_MAX / 2];
    struct domain_config *last = NULL;
    size_t count = list_servers(check, domain, served->class, &last, names, sizeof(names));

    if (count == 1) {
        served->backend = last;
        return 0;
    }
    if (count == 0 && check->limits->incomplete)
        (void)snprintf(text, len, "no domain that can be read serves %s: " FIRST, server->what);
    else if (count == 0)
        (void)snprintf(text, len, "no domain serves %s: describe %s, and name it in host.xml",
                       server->what, server->describe);
    else
        (void)snprintf(text, len,
                       "several domains serve %s: write <backenddomain name='...'/> with one "
                       "of %s",
                       server->what, names);
    return -EINVAL;
}

static int find_named(const struct check *check, const struct domain_config *domain,
                      struct config_served *served, char *text, size_t len)
{
    const struct server *server = &servers[served->class];
    const char *name = served->backend_name;
    char names[BACKEND_TEXT_MAX / 2];
    struct domain_config *last = NULL;
    struct domain_config *found = find_name(check, name);
    size_t count = list_servers(check, domain, served->class, &last, names, sizeof(names));

    if (!found) {
        const char *instead = check->limits->incomplete ? FIRST : "name its file in host.xml";

        (void)snprintf(text, len, "backend '%s' is not there: %s%s", name,
                       count ? "write one of " : instead, names);
        return -EINVAL;
    }
    if (found == domain) {
        (void)snprintf(text, len, "a domain cannot serve itself: %s%s",
                       count ? "write one of " : "name another domain", names);
        return -EINVAL;
    }
    if (config_is_image(found) && !is_server(found, served->class)) {
        (void)snprintf(text, len, "domain '%s' serves no %s: %s%s", name, server->what,
                       count ? "write one of " : "name ", count ? names : server->describe);
        return -EINVAL;
    }
    served->backend = found;
    return 0;
}

/* Our block domain has names of its own for disks. */
static int check_source(const struct config_disk *disk, unsigned *line, char *text, size_t len)
{
    *line = disk->served.source_line;
    if (disk->is_file) {
        (void)snprintf(text, len,
                       "'%s' serves disks and partitions, no files: write type='block' and "
                       "<source dev='...'/>, or name a Linux domain by <backenddomain>",
                       disk->served.backend->name);
        return -EINVAL;
    }
    if (walk_matches(BLOCK_SOURCES, disk->source))
        return 0;
    (void)snprintf(text, len,
                   "'%.120s' is no name of a disk: write /dev/nvme0n1, /dev/nvme0n1p1, /dev/vda, "
                   "/dev/vda1 or /dev/disk/by-partlabel/LABEL",
                   disk->source);
    return -EINVAL;
}

/* What stands in the XML and a stock back end would not look at: the element, and its line. */
static const char *only_ours(const struct config_interface *interface, unsigned *line)
{
    const struct {
        bool is_there;
        const char *what;
        unsigned line;
    } table[] = {
        {interface->filter != CONFIG_NO_FILTER, "<filterref>", interface->filter_line},
        {interface->vlan.count > 0, "<vlan>", interface->vlan_line},
        {interface->isolated, "isolated='yes'", interface->port_line},
        {interface->inbound.average > 0, "<inbound>", interface->inbound_line},
        {interface->outbound.peak > 0, "peak='...'", interface->outbound_line},
        {interface->outbound.burst > 0, "burst='...'", interface->outbound_line},
        {interface->mtu > 0, "<mtu>", interface->mtu_line},
    };

    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        if (!table[i].is_there)
            continue;
        *line = table[i].line;
        return table[i].what;
    }
    return NULL;
}

static int check_features(const struct config_interface *interface, unsigned *line, char *text,
                          size_t len)
{
    const char *what = only_ours(interface, line);

    if (!what)
        return 0;
    (void)snprintf(text, len,
                   "'%s' is not a net domain, and only these honour %s: set that up in '%s' and "
                   "remove it here",
                   interface->served.backend->name, what, interface->served.backend->name);
    return -EINVAL;
}

int backend_find(const struct check *check, const struct domain_config *domain,
                 struct config_served *served, unsigned *line, char *text, size_t len)
{
    int ret;

    served->backend = NULL;
    *line = served->backend_line;
    ret = served->backend_name ? find_named(check, domain, served, text, len)
                               : find_only(check, domain, served, text, len);
    if (ret < 0)
        return ret;
    if (served->class == CONFIG_DISK && runs_image(served->backend, CONFIG_DISK))
        return check_source(config_disk_of(served), line, text, len);
    if (served->class == CONFIG_INTERFACE && !config_is_net(served->backend))
        return check_features(config_interface_of(served), line, text, len);
    return 0;
}

static bool is_marked(const struct check *check, const bool *marks,
                      const struct domain_config *domain)
{
    for (size_t i = 0; i < check->count; i++) {
        if (check->domains[i] == domain)
            return marks[i];
    }
    return false;
}

static bool needs_marked(const struct check *check, const bool *marks,
                         const struct domain_config *domain)
{
    for (size_t i = 0; i < config_served_count(domain); i++) {
        if (is_marked(check, marks, config_served(domain, i)->backend))
            return true;
    }
    return false;
}

static bool needed_by_marked(const struct check *check, const bool *marks,
                             const struct domain_config *domain)
{
    for (size_t i = 0; i < check->count; i++) {
        for (size_t j = 0; marks[i] && j < config_served_count(check->domains[i]); j++) {
            if (config_served(check->domains[i], j)->backend == domain)
                return true;
        }
    }
    return false;
}

/* A circle is what is left when all are gone that nobody needs or that need nobody. */
void backend_find_cycles(const struct check *check, bool *in_cycle)
{
    for (size_t i = 0; i < check->count; i++)
        in_cycle[i] = true;
    for (bool changed = true; changed;) {
        changed = false;
        for (size_t i = 0; i < check->count; i++) {
            const struct domain_config *domain = check->domains[i];

            if (in_cycle[i] && (!needs_marked(check, in_cycle, domain) ||
                                !needed_by_marked(check, in_cycle, domain))) {
                in_cycle[i] = false;
                changed = true;
            }
        }
    }
}
