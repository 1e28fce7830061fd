/* Checks domains against each other and against the host, before any of them is started. */
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "backend.h"
#include "group.h"
#include "source.h"

static void refuse(const struct check *check, struct domain_config *domain, unsigned line,
                   const char *format, ...) __attribute__((format(printf, 4, 5)));

static void refuse(const struct check *check, struct domain_config *domain, unsigned line,
                   const char *format, ...)
{
    va_list args;

    va_start(args, format);
    diagnostics_vadd(check->list, domain->file, line, format, args);
    va_end(args);
    domain->refused = true;
}

static void check_identity(const struct check *check, struct domain_config *domain,
                           const struct domain_config *other)
{
    if (strcmp(domain->name, other->name) == 0)
        refuse(check, domain, domain->name_line,
               "name '%s' is that of the domain at %s:%u too: write another name", domain->name,
               other->file, other->name_line);
    else if (memcmp(domain->uuid, other->uuid, sizeof(domain->uuid)) == 0)
        refuse(check, domain, domain->uuid_line,
               "<uuid> is that of '%s' at %s:%u too: write another one or none", other->name,
               other->file, other->uuid_line);
}

static bool same_function(const struct config_hostdev *a, const struct config_hostdev *b)
{
    return a->segment == b->segment && a->bus == b->bus && a->slot == b->slot &&
           a->function == b->function;
}

/* `other` may be the domain itself: then the hostdevs before it are compared. */
static void check_hostdev(const struct check *check, struct domain_config *domain, size_t index,
                          const struct domain_config *other)
{
    const struct config_hostdev *dev = &domain->hostdevs[index];
    size_t count = other == domain ? index : other->hostdev_count;

    for (size_t i = 0; i < count; i++) {
        if (same_function(dev, &other->hostdevs[i])) {
            refuse(check, domain, dev->address_line,
                   "PCI function %04x:%02x:%02x.%x is handed out at %s:%u already: "
                   "remove one of the two",
                   dev->segment, dev->bus, dev->slot, dev->function, other->file,
                   other->hostdevs[i].address_line);
            return;
        }
    }
}

static void check_containment(const struct check *check, struct domain_config *domain)
{
    if (domain->hostdev_count == 0 || check->limits->iommu_present ||
        !check->limits->iommu_required)
        return;
    refuse(check, domain, domain->hostdevs[0].line,
           "no IOMMU contains this PCI function: write <iommu required='no'/> into host.xml, which "
           "is UNSAFE, since its device then reaches all memory");
}

/* Half of what reaches each other past the IOMMU is not contained. */
static void check_groups(const struct check *check, struct domain_config *domain)
{
    char text[GROUP_TEXT_MAX];

    if (!check->limits->functions || !check->limits->iommu_present)
        return;
    for (size_t i = 0; i < domain->hostdev_count; i++)
        if (group_is_torn(check->limits->functions, domain, i, text))
            refuse(check, domain, domain->hostdevs[i].address_line, "%s", text);
}

static void check_file(const struct check *check, struct domain_config *domain, const char *path,
                       unsigned line)
{
    if (!path || !check->limits->root || source_exists(check->limits->root, path))
        return;
    if (strncmp(path, CONFIG_IMAGES, strlen(CONFIG_IMAGES)) == 0)
        refuse(check, domain, line, "there is no image '%.200s': write one of the project's own",
               path);
    else
        refuse(check, domain, line, "no file '%.200s': put it there or correct the path", path);
}

/* Everything but backends and memory, against the domains before `limit` and not itself. */
static void check_alone(const struct check *check, size_t index, size_t limit)
{
    struct domain_config *domain = check->domains[index];

    for (size_t i = 0; i < limit; i++) {
        if (i != index)
            check_identity(check, domain, check->domains[i]);
    }
    for (size_t dev = 0; dev < domain->hostdev_count; dev++) {
        for (size_t i = 0; i < limit; i++) {
            if (i != index)
                check_hostdev(check, domain, dev, check->domains[i]);
        }
        check_hostdev(check, domain, dev, domain);
    }
    check_containment(check, domain);
    check_groups(check, domain);
    check_file(check, domain, domain->kernel, domain->kernel_line);
    check_file(check, domain, domain->initrd, domain->initrd_line);
}

static bool share_address(const struct config_interface *a, const struct config_interface *b)
{
    return a->served.backend && a->served.backend == b->served.backend &&
           strcmp(a->bridge, b->bridge) == 0 && memcmp(a->mac, b->mac, sizeof(a->mac)) == 0;
}

/* `other` may be the domain itself: then the interfaces before it are compared. */
static void check_address(const struct check *check, struct domain_config *domain, size_t index,
                          const struct domain_config *other)
{
    const struct config_interface *own = &domain->interfaces[index];
    size_t count = other == domain ? index : other->interface_count;

    for (size_t i = 0; i < count; i++) {
        const struct config_interface *taken = &other->interfaces[i];

        if (!share_address(own, taken))
            continue;
        refuse(check, domain, own->mac_line,
               "address %02x:%02x:%02x:%02x:%02x:%02x on bridge '%s' is that of '%s' at %s:%u "
               "too: write another <mac>",
               own->mac[0], own->mac[1], own->mac[2], own->mac[3], own->mac[4], own->mac[5],
               own->bridge, other->name, other->file, taken->mac_line);
        return;
    }
}

/* When the backends are known, against the domains before `limit` and itself. */
static void check_addresses(const struct check *check, size_t index, size_t limit)
{
    struct domain_config *domain = check->domains[index];

    for (size_t n = 0; n < domain->interface_count; n++) {
        for (size_t i = 0; i < limit && !domain->refused; i++) {
            if (i != index && !check->domains[i]->refused)
                check_address(check, domain, n, check->domains[i]);
        }
        if (!domain->refused)
            check_address(check, domain, n, domain);
    }
}

static void check_backends(const struct check *check, struct domain_config *domain)
{
    char text[BACKEND_TEXT_MAX];

    for (size_t i = 0; i < config_served_count(domain); i++) {
        unsigned line = 0;

        if (backend_find(check, domain, config_served(domain, i), &line, text, sizeof(text)) < 0)
            refuse(check, domain, line, "%s", text);
    }
}

static void refuse_cycle(const struct check *check, const bool *in_cycle, size_t index)
{
    struct domain_config *domain = check->domains[index];
    char names[BACKEND_TEXT_MAX / 2] = "";
    size_t used = 0;

    for (size_t i = 0; i < check->count && used < sizeof(names); i++) {
        if (in_cycle[i])
            used += (size_t)snprintf(names + used, sizeof(names) - used, "%s%s", used ? ", " : "",
                                     check->domains[i]->name);
    }
    for (size_t i = 0; i < config_served_count(domain); i++) {
        const struct config_served *served = config_served(domain, i);

        for (size_t j = 0; j < check->count; j++) {
            if (!in_cycle[j] || check->domains[j] != served->backend)
                continue;
            refuse(check, domain, served->backend_line,
                   "domains wait for each other's devices (%s): name another backend here", names);
            return;
        }
    }
}

static int check_cycles(const struct check *check)
{
    bool *in_cycle = calloc(check->count + 1, sizeof(bool));

    if (!in_cycle)
        return -ENOMEM;
    backend_find_cycles(check, in_cycle);
    for (size_t i = 0; i < check->count; i++) {
        if (in_cycle[i])
            refuse_cycle(check, in_cycle, i);
    }
    free(in_cycle);
    return 0;
}

/* Who needs a domain that cannot start cannot start either; until nothing changes. */
static void spread_refusals(const struct check *check)
{
    for (bool changed = true; changed;) {
        changed = false;
        for (size_t i = 0; i < check->count; i++) {
            struct domain_config *domain = check->domains[i];

            for (size_t j = 0; j < config_served_count(domain) && !domain->refused; j++) {
                const struct config_served *served = config_served(domain, j);

                if (!served->backend || !served->backend->refused)
                    continue;
                refuse(check, domain, served->backend_line,
                       "backend '%s' cannot start: see what is said of %s", served->backend->name,
                       served->backend->file);
                changed = true;
            }
        }
    }
}

static bool check_memory(const struct check *check, struct domain_config *domain, uint64_t *left)
{
    if (domain->memory_bytes > *left) {
        refuse(check, domain, domain->memory_line,
               "%" PRIu64 " MiB are more than the %" PRIu64
               " MiB that are left: write less memory, "
               "or give the host more",
               domain->memory_bytes >> 20, *left >> 20);
        return false;
    }
    *left -= domain->memory_bytes;
    return true;
}

/* In the order of their start; the first that does not fit goes, and the rest is tried again. */
static int check_all_memory(const struct check *check)
{
    struct domain_config **order = calloc(check->count + 1, sizeof(struct domain_config *));

    if (!order)
        return -ENOMEM;
    for (bool fits = false; !fits;) {
        size_t count = config_order(check->domains, check->count, order);
        uint64_t left = check->limits->memory_bytes;

        fits = true;
        for (size_t i = 0; i < count && fits; i++)
            fits = check_memory(check, order[i], &left);
        spread_refusals(check);
    }
    free(order);
    return 0;
}

static int count_refused(const struct check *check)
{
    int count = 0;

    for (size_t i = 0; i < check->count; i++)
        count += check->domains[i]->refused;
    return count;
}

int config_check_set(struct domain_config *const *domains, size_t count,
                     const struct config_limits *limits, struct diagnostics *list)
{
    const struct check check = {domains, count, limits, list};
    int ret;

    for (size_t i = 0; i < count; i++)
        domains[i]->refused = false;
    for (size_t i = 0; i < count; i++)
        check_alone(&check, i, i);
    for (size_t i = 0; i < count; i++)
        check_backends(&check, domains[i]);
    for (size_t i = 0; i < count; i++)
        check_addresses(&check, i, i);
    ret = check_cycles(&check);
    spread_refusals(&check);
    if (ret == 0 && limits->memory_bytes)
        ret = check_all_memory(&check);
    return ret < 0 ? ret : count_refused(&check);
}

int config_check_one(struct domain_config *const *domains, size_t count, size_t index,
                     const struct config_limits *limits, struct diagnostics *list)
{
    const struct check check = {domains, count, limits, list};
    struct domain_config *domain = domains[index];
    uint64_t left = limits->memory_bytes;

    domain->refused = false;
    check_alone(&check, index, count);
    check_backends(&check, domain);
    check_addresses(&check, index, count);
    if (left && !domain->refused)
        (void)check_memory(&check, domain, &left);
    return domain->refused;
}
