/* Isolation groups over tables of facts: what belongs together, and who is told so. */
#include "group.h"

#include <stdio.h>
#include <string.h>

#include "check.h"

#define MAX 12

/* Types of PCI Express functions. */
#define ENDPOINT   0u
#define ROOT       4u
#define UPSTREAM   5u
#define DOWNSTREAM 6u
#define TO_PCI     7u
#define OLD        BULKHEAD_PCI_CONVENTIONAL

/* Access control: all of it, none of what matters (which is then hard-wired), off. */
#define ACS(can, on) .flags = BULKHEAD_PCI_ACS, .acs = (can), .acs_on = (on)
#define ISOLATED     ACS(BULKHEAD_ACS_ALL, BULKHEAD_ACS_ALL)
#define WIRED        ACS(2, 0)
#define OFF          ACS(BULKHEAD_ACS_ALL, BULKHEAD_ACS_SOURCE)

#define AT(bus, slot, function) .sbdf = (bus) << 8 | (slot) << 3 | (function)
#define BRIDGE(first, last)     .header = 1, .secondary = (first), .subordinate = (last)

static const struct {
    const char *name;
    struct bulkhead_pci_info functions[MAX];
    unsigned groups[MAX];
} hosts[] = {
    {"devices on the root bus",
     {{AT(0, 4, 0), .port = OLD}, {AT(0, 5, 0), .port = 9}, {AT(0, 6, 0), .port = OLD}},
     {0, 1, 2}},
    {"functions of one device",
     {{AT(0, 4, 0), .port = OLD}, {AT(0, 4, 1), .port = OLD}, {AT(0, 5, 0), .port = OLD}},
     {0, 0, 1}},
    {"functions with access control, and one without",
     {{AT(0, 4, 0), ISOLATED},
      {AT(0, 4, 1), WIRED},
      {AT(0, 5, 0), ISOLATED},
      {AT(0, 5, 1), ISOLATED},
      {AT(0, 5, 2)},
      {AT(0, 6, 0), ISOLATED},
      {AT(0, 6, 1), OFF}},
     {0, 1, 2, 2, 2, 3, 3}},
    {"root ports with access control",
     {{AT(0, 1, 0), .port = ROOT, BRIDGE(1, 1), ISOLATED},
      {AT(0, 1, 1), .port = ROOT, BRIDGE(2, 2), ISOLATED},
      {AT(1, 0, 0)},
      {AT(2, 0, 0)},
      {AT(2, 0, 1)}},
     {0, 1, 2, 3, 3}},
    {"root ports without, each a device of its own",
     {{AT(0, 1, 0), .port = ROOT, BRIDGE(1, 1)},
      {AT(0, 2, 0), .port = ROOT, BRIDGE(2, 2), OFF},
      {AT(1, 0, 0)},
      {AT(2, 0, 0)}},
     {0, 1, 0, 1}},
    {"root ports of one device, one without",
     {{AT(0, 1, 0), .port = ROOT, BRIDGE(1, 1), ISOLATED},
      {AT(0, 1, 1), .port = ROOT, BRIDGE(2, 2)},
      {AT(1, 0, 0)},
      {AT(2, 0, 0)}},
     {0, 0, 0, 0}},
    {"a switch with access control in its ports",
     {{AT(0, 1, 0), .port = ROOT, BRIDGE(1, 4), ISOLATED},
      {AT(1, 0, 0), .port = UPSTREAM, BRIDGE(2, 4)},
      {AT(2, 0, 0), .port = DOWNSTREAM, BRIDGE(3, 3), ISOLATED},
      {AT(2, 1, 0), .port = DOWNSTREAM, BRIDGE(4, 4), ISOLATED},
      {AT(3, 0, 0)},
      {AT(4, 0, 0)}},
     {0, 1, 2, 3, 4, 5}},
    {"a switch of which one port has none",
     {{AT(0, 1, 0), .port = ROOT, BRIDGE(1, 4), ISOLATED},
      {AT(1, 0, 0), .port = UPSTREAM, BRIDGE(2, 4)},
      {AT(2, 0, 0), .port = DOWNSTREAM, BRIDGE(3, 3), ISOLATED},
      {AT(2, 1, 0), .port = DOWNSTREAM, BRIDGE(4, 4)},
      {AT(3, 0, 0)},
      {AT(4, 0, 0)},
      {AT(0, 2, 0)}},
     {0, 1, 2, 2, 2, 2, 3}},
    {"a root port without above a switch with",
     {{AT(0, 1, 0), .port = ROOT, BRIDGE(1, 4)},
      {AT(1, 0, 0), .port = UPSTREAM, BRIDGE(2, 4)},
      {AT(2, 0, 0), .port = DOWNSTREAM, BRIDGE(3, 3), ISOLATED},
      {AT(2, 1, 0), .port = DOWNSTREAM, BRIDGE(4, 4), ISOLATED},
      {AT(3, 0, 0)},
      {AT(4, 0, 0)}},
     {0, 0, 0, 0, 0, 0}},
    {"an upstream port that shares its device",
     {{AT(1, 0, 0), .port = UPSTREAM, BRIDGE(2, 3)},
      {AT(1, 0, 1)},
      {AT(2, 0, 0), .port = DOWNSTREAM, BRIDGE(3, 3), ISOLATED},
      {AT(3, 0, 0)}},
     {0, 0, 0, 0}},
    {"bridges to conventional PCI, one below the other, and one from PCI Express",
     {{AT(0, 1, 0), .port = OLD, BRIDGE(1, 2)},
      {AT(1, 4, 0), .port = OLD},
      {AT(1, 5, 0), .port = OLD, BRIDGE(2, 2)},
      {AT(2, 0, 0), .port = OLD},
      {AT(0, 2, 0), .port = ROOT, BRIDGE(3, 4), ISOLATED},
      {AT(3, 0, 0), .port = TO_PCI, BRIDGE(4, 4)},
      {AT(4, 1, 0), .port = OLD},
      {AT(4, 2, 0), .port = OLD}},
     {0, 0, 0, 0, 1, 2, 2, 2}},
    {"a bridge that has not been told its buses, and other segments",
     {{AT(0, 1, 0), .port = OLD, BRIDGE(0, 0)},
      {AT(0, 2, 0), .port = OLD},
      {AT(0, 3, 0), .port = OLD, BRIDGE(1, 1)},
      {.sbdf = 1u << 16 | 1u << 8, .port = OLD}},
     {0, 1, 2, 3}},
};

static size_t count_of(const struct bulkhead_pci_info *functions)
{
    size_t count = 0;

    while (count < MAX && functions[count].sbdf)
        count++;
    return count;
}

/* The order in which the core found the functions changes nothing but the numbers. */
static void expect_pairs(const struct bulkhead_pci_info *functions, const unsigned *wanted,
                         size_t count)
{
    struct bulkhead_pci_info turned[MAX];
    unsigned groups[MAX];
    struct group_table table = {turned, groups, count};

    for (size_t i = 0; i < count; i++)
        turned[i] = functions[count - 1 - i];
    group_find(&table);
    for (size_t i = 0; i < count; i++)
        for (size_t j = 0; j < count; j++)
            EXPECT((groups[count - 1 - i] == groups[count - 1 - j]) == (wanted[i] == wanted[j]));
}

TEST(groups)
{
    for (size_t n = 0; n < sizeof(hosts) / sizeof(hosts[0]); n++) {
        struct bulkhead_pci_info functions[MAX];
        unsigned groups[MAX];
        struct group_table table = {functions, groups, count_of(hosts[n].functions)};

        memcpy(functions, hosts[n].functions, sizeof(functions));
        group_find(&table);
        for (size_t i = 0; i < table.count; i++) {
            if (groups[i] == hosts[n].groups[i])
                continue;
            printf("# %s: %zu is in group %u\n", hosts[n].name, i, groups[i]);
            EXPECT(!"as in the table");
        }
        expect_pairs(hosts[n].functions, hosts[n].groups, table.count);
    }
}

static char file[] = "/x.xml";
static char name[] = "x";
static struct config_hostdev hostdevs[] = {
    {.slot = 5, .address_line = 10},
    {.slot = 4, .address_line = 12},
    {.slot = 4, .function = 1, .address_line = 14},
    {.slot = 9, .address_line = 16},
};
static struct bulkhead_pci_info functions[] = {
    {AT(0, 4, 0), .flags = BULKHEAD_PCI_RESERVED},
    {AT(0, 4, 1)},
    {AT(0, 4, 2)},
    {AT(0, 5, 0)},
};
static unsigned numbers[4];
static struct group_table table = {functions, numbers, 4};

/* How many messages there are about a domain with the hostdevs from `first` on. */
static size_t complaints(size_t first, size_t count, bool iommu, char *text)
{
    struct domain_config domain = {
        .file = file, .name = name, .hostdevs = hostdevs + first, .hostdev_count = count};
    struct domain_config *domains[] = {&domain};
    struct config_limits limits = {.iommu_present = iommu, .functions = &table};
    struct diagnostics list = {0};
    int refused = config_check_one(domains, 1, 0, &limits, &list);
    size_t said = list.count;

    EXPECT((refused == 1) == (said > 0));
    if (said > 0)
        diagnostics_format(&list.items[0], text, 512);
    diagnostics_free(&list);
    return said;
}

TEST(half_a_group_is_refused)
{
    char text[512];

    group_find(&table);
    EXPECT(complaints(0, 1, true, text) == 0);
    EXPECT(complaints(0, 3, true, text) == 1);
    EXPECT(strcmp(text,
                  "/x.xml:12: PCI function 0000:00:04.0 is one of a group that no IOMMU keeps "
                  "apart (0000:00:04.1, 0000:00:04.2): give all of them to one domain") == 0);
    EXPECT(complaints(1, 2, false, text) == 0);
    EXPECT(complaints(3, 1, true, text) == 0);
    /* What the core keeps is nobody's to give. */
    hostdevs[1].function = 2;
    EXPECT(complaints(1, 2, true, text) == 0);
    hostdevs[1].function = 0;
}

TEST(a_long_group_is_cut)
{
    static struct bulkhead_pci_info many[32];
    static unsigned groups[32];
    static struct group_table wide = {many, groups, 32};
    struct domain_config domain = {.hostdevs = hostdevs, .hostdev_count = 1};
    char text[GROUP_TEXT_MAX];

    for (uint32_t i = 0; i < 32; i++)
        many[i] = (struct bulkhead_pci_info){.sbdf = i << 3, .port = OLD};
    many[0] = (struct bulkhead_pci_info){.sbdf = 0x100, .port = OLD, BRIDGE(0, 1)};
    group_find(&wide);
    EXPECT(!group_is_torn(&wide, &domain, 0, text));
    for (uint32_t i = 1; i < 32; i++)
        many[i].sbdf = 0x100 | i << 3;
    many[0] = (struct bulkhead_pci_info){.sbdf = 8, .port = OLD, BRIDGE(1, 1)};
    group_find(&wide);
    hostdevs[0].bus = 1;
    EXPECT(group_is_torn(&wide, &domain, 0, text));
    EXPECT(strstr(text, "...): give all of them to one domain") && strlen(text) < sizeof(text) - 1);
    hostdevs[0].bus = 0;
}
