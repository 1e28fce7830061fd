/*
 * Which domain serves a disk: the one that is named, or the host's only one.
 * A block domain is a domain that owns a PCI function and runs our block image
 * or, on a host without any such, a kernel that is not ours and has no disks.
 */
#include "backend.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "walk.h"

#define BLOCK_IMAGE CONFIG_IMAGES "block.elf"
#define BLOCK_SOURCES                                                                              \
    "/dev/(nvme[0-9]{1,3}n[0-9]{1,3}(p[0-9]{1,3})?|vd[a-z][0-9]{0,3}|disk/by-partlabel/[!-.0-~]+)"

#define FIRST "correct the files that cannot be read first"

static bool runs_block_image(const struct domain_config *domain)
{
    return strcmp(domain->kernel, BLOCK_IMAGE) == 0;
}

static bool has_block_image(const struct check *check)
{
    for (size_t i = 0; i < check->count; i++) {
        if (runs_block_image(check->domains[i]) && check->domains[i]->hostdev_count > 0)
            return true;
    }
    return false;
}

static bool may_serve(const struct check *check, const struct domain_config *domain,
                      const struct domain_config *user)
{
    if (domain == user || domain->hostdev_count == 0)
        return false;
    if (has_block_image(check))
        return runs_block_image(domain);
    return !config_is_image(domain) && domain->disk_count == 0;
}

/* The names of all block domains, "a, b"; returns how many, and the last one. */
static size_t list_servers(const struct check *check, const struct domain_config *user,
                           struct domain_config **last, char *text, size_t len)
{
    size_t count = 0;
    size_t used = 0;

    text[0] = '\0';
    for (size_t i = 0; i < check->count; i++) {
        if (!may_serve(check, check->domains[i], user))
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
                     struct config_disk *disk, char *text, size_t len)
{
    char names[BACKEND_TEXT_MAX / 2];
    struct domain_config *last = NULL;
    size_t count = list_servers(check, domain, &last, names, sizeof(names));

    if (count == 1) {
        disk->backend = last;
        return 0;
    }
    if (count == 0 && check->limits->incomplete)
        (void)snprintf(text, len, "no domain that can be read serves disks: " FIRST);
    else if (count == 0)
        (void)snprintf(text, len,
                       "no domain serves disks: describe one with a <hostdev> and "
                       "<kernel>%s</kernel>, and name it in host.xml",
                       BLOCK_IMAGE);
    else
        (void)snprintf(text, len,
                       "several domains serve disks: write <backenddomain name='...'/> with one "
                       "of %s",
                       names);
    return -EINVAL;
}

static int find_named(const struct check *check, const struct domain_config *domain,
                      struct config_disk *disk, char *text, size_t len)
{
    char names[BACKEND_TEXT_MAX / 2];
    struct domain_config *last = NULL;
    struct domain_config *found = find_name(check, disk->backend_name);
    size_t count = list_servers(check, domain, &last, names, sizeof(names));

    if (!found) {
        const char *instead = check->limits->incomplete ? FIRST : "name its file in host.xml";

        (void)snprintf(text, len, "backend '%s' is not there: %s%s", disk->backend_name,
                       count ? "write one of " : instead, names);
        return -EINVAL;
    }
    if (found == domain) {
        (void)snprintf(text, len, "a domain cannot serve itself: %s%s",
                       count ? "write one of " : "name another domain", names);
        return -EINVAL;
    }
    if (config_is_image(found) && (!runs_block_image(found) || found->hostdev_count == 0)) {
        (void)snprintf(text, len, "domain '%s' serves no disks: %s%s", disk->backend_name,
                       count ? "write one of "
                             : "name one with a <hostdev> and <kernel>" BLOCK_IMAGE "</kernel>",
                       names);
        return -EINVAL;
    }
    disk->backend = found;
    return 0;
}

int backend_find(const struct check *check, const struct domain_config *domain,
                 struct config_disk *disk, unsigned *line, char *text, size_t len)
{
    int ret;

    disk->backend = NULL;
    *line = disk->backend_line;
    ret = disk->backend_name ? find_named(check, domain, disk, text, len)
                             : find_only(check, domain, disk, text, len);
    if (ret == 0 && runs_block_image(disk->backend) && !walk_matches(BLOCK_SOURCES, disk->source)) {
        (void)snprintf(
            text, len,
            "'%.120s' is no name of a disk: write /dev/nvme0n1, /dev/nvme0n1p1, /dev/vda, "
            "/dev/vda1 or /dev/disk/by-partlabel/LABEL",
            disk->source);
        *line = disk->source_line;
        ret = -EINVAL;
    }
    return ret;
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
    for (size_t i = 0; i < domain->disk_count; i++) {
        if (is_marked(check, marks, domain->disks[i].backend))
            return true;
    }
    return false;
}

static bool needed_by_marked(const struct check *check, const bool *marks,
                             const struct domain_config *domain)
{
    for (size_t i = 0; i < check->count; i++) {
        for (size_t j = 0; marks[i] && j < check->domains[i]->disk_count; j++) {
            if (check->domains[i]->disks[j].backend == domain)
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
