/* Which PCI functions belong together, by what the core knows of bridges, ports and ACS. */
#include "group.h"

#include <stdio.h>

#define HEADER_BRIDGE 1u

/* PCI Express' types of ports; bridges of other types send requests under a name of their own. */
#define PORT_ROOT       4u
#define PORT_UPSTREAM   5u
#define PORT_DOWNSTREAM 6u

#define NO_GROUP UINT32_MAX

static bool is_bridge(const struct bulkhead_pci_info *f)
{
    return f->header == HEADER_BRIDGE;
}

static bool is_same_slot(const struct bulkhead_pci_info *a, const struct bulkhead_pci_info *b)
{
    return a->sbdf >> 3 == b->sbdf >> 3;
}

/* A part that access control lacks is hard-wired to be safe, says PCI Express; one that it has and
 * that is off is not. */
static bool is_isolated(const struct bulkhead_pci_info *f)
{
    return f->flags & BULKHEAD_PCI_ACS && (f->acs & ~f->acs_on & BULKHEAD_ACS_ALL) == 0;
}

static bool is_behind(const struct bulkhead_pci_info *f, const struct bulkhead_pci_info *bridge)
{
    unsigned bus = f->sbdf >> 8 & 0xff;

    return is_bridge(bridge) && bridge->secondary != 0 && f->sbdf >> 16 == bridge->sbdf >> 16 &&
           bus >= bridge->secondary && bus <= bridge->subordinate;
}

/* Until they are numbered, a group is called by the place of its first function. */
static void join(struct group_table *table, size_t a, size_t b)
{
    unsigned x = table->groups[a], y = table->groups[b];

    for (size_t i = 0; i < table->count; i++)
        if (table->groups[i] == x || table->groups[i] == y)
            table->groups[i] = x < y ? x : y;
}

static void join_behind(struct group_table *table, size_t member, size_t bridge)
{
    for (size_t i = 0; i < table->count; i++)
        if (is_behind(&table->functions[i], &table->functions[bridge]))
            join(table, member, i);
}

/* One function of a device that does not redirect what it sends to the others reaches them all. */
static bool join_slot(struct group_table *table, size_t index)
{
    const struct bulkhead_pci_info *f = &table->functions[index];
    bool leaks = false;

    for (size_t i = 0; i < table->count; i++) {
        const struct bulkhead_pci_info *other = &table->functions[i];

        if (i == index || !is_same_slot(f, other) || (is_isolated(f) && is_isolated(other)))
            continue;
        join(table, index, i);
        leaks = true;
    }
    return leaks;
}

/* A downstream port without access control lets what is behind it reach the whole switch. */
static void join_switch(struct group_table *table, size_t port)
{
    unsigned bus = table->functions[port].sbdf >> 8 & 0xff;

    for (size_t i = 0; i < table->count; i++)
        if (is_bridge(&table->functions[i]) && table->functions[i].secondary == bus &&
            is_behind(&table->functions[port], &table->functions[i]))
            join_behind(table, port, i);
}

static void join_bridge(struct group_table *table, size_t index, bool leaks)
{
    const struct bulkhead_pci_info *f = &table->functions[index];
    bool is_port = f->port >= PORT_ROOT && f->port <= PORT_DOWNSTREAM;

    if (leaks || !is_port || (f->port != PORT_UPSTREAM && !is_isolated(f)))
        join_behind(table, index, index);
    if (f->port == PORT_DOWNSTREAM && !is_isolated(f))
        join_switch(table, index);
}

void group_find(struct group_table *table)
{
    unsigned next = 0;

    for (size_t i = 0; i < table->count; i++)
        table->groups[i] = (unsigned)i;
    for (size_t i = 0; i < table->count; i++) {
        bool leaks = join_slot(table, i);

        if (is_bridge(&table->functions[i]))
            join_bridge(table, i, leaks);
    }
    for (size_t i = 0; i < table->count; i++)
        table->groups[i] = table->groups[i] == i ? next++ : table->groups[table->groups[i]];
}

int group_function_at(const struct group_table *table, uint32_t sbdf)
{
    for (size_t i = 0; i < table->count; i++)
        if (table->functions[i].sbdf == sbdf)
            return (int)i;
    return -1;
}

uint32_t group_sbdf(const struct config_hostdev *h)
{
    return (uint32_t)h->segment << 16 | (uint32_t)h->bus << 8 | (uint32_t)(h->slot << 3) |
           h->function;
}

const char *group_name(uint32_t sbdf, char text[GROUP_NAME_MAX])
{
    (void)snprintf(text, GROUP_NAME_MAX, "%04x:%02x:%02x.%x", sbdf >> 16, sbdf >> 8 & 0xff,
                   sbdf >> 3 & 0x1f, sbdf & 7);
    return text;
}

static unsigned group_of(const struct group_table *table, uint32_t sbdf)
{
    int at = group_function_at(table, sbdf);

    return at < 0 ? NO_GROUP : table->groups[at];
}

static bool has_function(const struct domain_config *domain, uint32_t sbdf)
{
    for (size_t i = 0; i < domain->hostdev_count; i++)
        if (group_sbdf(&domain->hostdevs[i]) == sbdf)
            return true;
    return false;
}

/* Its members that can be given away, as many as fit; whether the domain lacks one. */
static bool list_members(const struct group_table *table, unsigned group,
                         const struct domain_config *domain, char *text, size_t len)
{
    char name[GROUP_NAME_MAX];
    size_t used = 0;
    bool lacks = false;

    text[0] = '\0';
    for (size_t i = 0; i < table->count; i++) {
        const struct bulkhead_pci_info *f = &table->functions[i];

        if (table->groups[i] != group || f->flags & BULKHEAD_PCI_RESERVED)
            continue;
        lacks = lacks || !has_function(domain, f->sbdf);
        if (used < len)
            used += (size_t)snprintf(text + used, len - used, "%s%s", used ? ", " : "",
                                     group_name(f->sbdf, name));
    }
    if (used >= len)
        (void)snprintf(text + len - 4, 4, "...");
    return lacks;
}

bool group_is_torn(const struct group_table *table, const struct domain_config *domain,
                   size_t index, char text[GROUP_TEXT_MAX])
{
    unsigned group = group_of(table, group_sbdf(&domain->hostdevs[index]));
    char name[GROUP_NAME_MAX];
    char members[GROUP_TEXT_MAX - 150];

    for (size_t i = 0; i < index; i++)
        if (group_of(table, group_sbdf(&domain->hostdevs[i])) == group)
            return false;
    if (group == NO_GROUP || !list_members(table, group, domain, members, sizeof(members)))
        return false;
    (void)snprintf(text, GROUP_TEXT_MAX,
                   "PCI function %s is one of a group that no IOMMU keeps apart (%s): give all of "
                   "them to one domain",
                   group_name(group_sbdf(&domain->hostdevs[index]), name), members);
    return true;
}
