/* nodedev-list, nodedev-dumpxml: the host's PCI functions, as virsh shows them. */
#include "cli.h"

#include <stdio.h>
#include <string.h>

#include <build/functions.h>
#include <report/json.h>

#define NAME_MAX 24 /* pci_0000_00_04_0 */
#define ROOT     "computer"

/* What both verbs work on: the functions of this moment. */
struct nodes {
    const struct cli *cli;
    struct group_table table;
};

static const char *node_name(const struct bulkhead_pci_info *f, char text[NAME_MAX])
{
    (void)snprintf(text, NAME_MAX, "pci_%04x_%02x_%02x_%x", f->sbdf >> 16, f->sbdf >> 8 & 0xff,
                   f->sbdf >> 3 & 0x1f, f->sbdf & 7);
    return text;
}

/* The bridge to its bus; NULL: it is on a root bus. */
static const struct bulkhead_pci_info *parent_of(const struct nodes *n,
                                                 const struct bulkhead_pci_info *f)
{
    for (size_t i = 0; i < n->table.count; i++) {
        const struct bulkhead_pci_info *b = &n->table.functions[i];

        if (b->secondary != 0 && b->secondary == (f->sbdf >> 8 & 0xff) && b != f &&
            b->sbdf >> 16 == f->sbdf >> 16)
            return b;
    }
    return NULL;
}

static const struct entry *owner_of(const struct nodes *n, const struct bulkhead_pci_info *f)
{
    for (size_t i = 0; f->owner != DOMID_INVALID && i < n->cli->supervise->count; i++)
        if (n->cli->supervise->entries[i]->domid == f->owner)
            return n->cli->supervise->entries[i];
    return NULL;
}

/* ---- lists ---------------------------------------------------------------------------------- */

static void print_line(const struct nodes *n, size_t index, const char *indent)
{
    const struct bulkhead_pci_info *f = &n->table.functions[index];
    const struct entry *owner = owner_of(n, f);
    char name[NAME_MAX];

    cli_print("%s+- %s", indent, node_name(f, name));
    if (n->cli->iommu_present)
        cli_print(" (group %u%s%s)", n->table.groups[index], owner ? ", of " : "",
                  owner ? owner->config->name : "");
    else if (owner)
        cli_print(" (of %s)", owner->config->name);
    cli_print("\n");
}

/* The last function below a bridge, or on root buses; count: there is none. */
static size_t last_below(const struct nodes *n, const struct bulkhead_pci_info *parent)
{
    size_t last = n->table.count;

    for (size_t i = 0; i < n->table.count; i++)
        if (parent_of(n, &n->table.functions[i]) == parent)
            last = i;
    return last;
}

#define DEPTH_MAX 16u /* buses that name each other as their parents end somewhere */

static void print_below(const struct nodes *n, const struct bulkhead_pci_info *parent,
                        const char *indent, unsigned depth)
{
    size_t last = last_below(n, parent);
    char deeper[4 * DEPTH_MAX + 4];

    if (last == n->table.count || depth == DEPTH_MAX)
        return;
    cli_print("%s|\n", indent);
    for (size_t i = 0; i <= last; i++) {
        const struct bulkhead_pci_info *f = &n->table.functions[i];

        if (parent_of(n, f) != parent)
            continue;
        print_line(n, i, indent);
        (void)snprintf(deeper, sizeof(deeper), "%s%c   ", indent, i == last ? ' ' : '|');
        print_below(n, f, deeper, depth + 1);
    }
}

static void write_row(const struct nodes *n, size_t index, struct json *json)
{
    const struct bulkhead_pci_info *f = &n->table.functions[index];
    const struct bulkhead_pci_info *parent = parent_of(n, f);
    const struct entry *owner = owner_of(n, f);
    char name[NAME_MAX];

    json_object_open(json, NULL);
    json_string(json, "name", node_name(f, name));
    json_string(json, "parent", parent ? node_name(parent, name) : ROOT);
    json_number(json, "class", f->class_revision >> 8);
    json_number(json, "vendor", f->vendor);
    json_number(json, "product", f->device);
    if (n->cli->iommu_present)
        json_number(json, "group", n->table.groups[index]);
    json_bool(json, "contained", (f->flags & BULKHEAD_PCI_CONTAINED) != 0);
    json_bool(json, "reserved", (f->flags & BULKHEAD_PCI_RESERVED) != 0);
    json_string(json, "owner", owner ? owner->config->name : NULL);
    json_object_close(json);
}

static int print_rows(const struct nodes *n)
{
    struct json json;

    json_init(&json);
    json_array_open(&json, NULL);
    for (size_t i = 0; i < n->table.count; i++)
        write_row(n, i, &json);
    json_array_close(&json);
    return cli_print_json(&json);
}

static int nodes_open(struct nodes *n, const struct cli *cli)
{
    int rc;

    n->cli = cli;
    rc = functions_read(&n->table);
    return rc < 0 ? cli_error("the core does not tell of its functions: %s", strerror(-rc)) : 0;
}

int verb_nodedev_list(struct cli *cli, int argc, char **argv)
{
    bool tree = cli_flag(&argc, argv, "--tree");
    bool json = cli_flag(&argc, argv, "--json");
    char name[NAME_MAX];
    struct nodes n;
    int rc = 0;

    if (argc > 1 || (tree && json))
        return cli_usage("nodedev-list", argc > 1 ? argv[1] : "either --tree or --json");
    if (nodes_open(&n, cli) < 0)
        return -1;
    if (json) {
        rc = print_rows(&n);
    } else if (tree) {
        cli_print(ROOT "\n");
        print_below(&n, NULL, "  ", 0);
        cli_print("\n");
    } else {
        for (size_t i = 0; i < n.table.count; i++)
            cli_print("%s\n", node_name(&n.table.functions[i], name));
        cli_print("\n");
    }
    functions_free(&n.table);
    return rc;
}

/* ---- one --------------------------------------------------------------------------------------
 */

static void print_group(const struct nodes *n, size_t index)
{
    if (!n->cli->iommu_present)
        return;
    cli_print("    <iommuGroup number='%u'>\n", n->table.groups[index]);
    for (size_t i = 0; i < n->table.count; i++) {
        uint32_t sbdf = n->table.functions[i].sbdf;

        if (n->table.groups[i] == n->table.groups[index])
            cli_print("      <address domain='0x%04x' bus='0x%02x' slot='0x%02x' "
                      "function='0x%x'/>\n",
                      sbdf >> 16, sbdf >> 8 & 0xff, sbdf >> 3 & 0x1f, sbdf & 7);
    }
    cli_print("    </iommuGroup>\n");
}

static void print_owner(const struct nodes *n, const struct bulkhead_pci_info *f)
{
    const struct entry *owner = owner_of(n, f);

    cli_print("  <metadata>\n"
              "    <bulkhead:function xmlns:bulkhead='urn:bulkhead:1' contained='%s' "
              "reserved='%s'",
              f->flags & BULKHEAD_PCI_CONTAINED ? "yes" : "no",
              f->flags & BULKHEAD_PCI_RESERVED ? "yes" : "no");
    if (owner)
        cli_print(" owner='%s'", owner->config->name);
    cli_print("/>\n  </metadata>\n");
}

static void print_xml(const struct nodes *n, size_t index)
{
    const struct bulkhead_pci_info *f = &n->table.functions[index];
    const struct bulkhead_pci_info *parent = parent_of(n, f);
    char name[NAME_MAX];

    cli_print("<device>\n  <name>%s</name>\n", node_name(f, name));
    cli_print("  <parent>%s</parent>\n  <capability type='pci'>\n",
              parent ? node_name(parent, name) : ROOT);
    cli_print("    <class>0x%06x</class>\n", f->class_revision >> 8);
    cli_print("    <domain>%u</domain>\n    <bus>%u</bus>\n", f->sbdf >> 16, f->sbdf >> 8 & 0xff);
    cli_print("    <slot>%u</slot>\n    <function>%u</function>\n", f->sbdf >> 3 & 0x1f,
              f->sbdf & 7);
    cli_print("    <product id='0x%04x'/>\n    <vendor id='0x%04x'/>\n", f->device, f->vendor);
    if (f->header == 1)
        cli_print("    <capability type='pci-bridge'/>\n");
    print_group(n, index);
    cli_print("  </capability>\n");
    print_owner(n, f);
    cli_print("</device>\n");
}

int verb_nodedev_dumpxml(struct cli *cli, int argc, char **argv)
{
    char name[NAME_MAX];
    struct nodes n;
    bool found;
    size_t i = 0;

    (void)argc;
    if (nodes_open(&n, cli) < 0)
        return -1;
    while (i < n.table.count && strcmp(node_name(&n.table.functions[i], name), argv[1]) != 0)
        i++;
    found = i < n.table.count;
    if (found)
        print_xml(&n, i);
    functions_free(&n.table);
    return found ? 0 : cli_error("there is no device %s: `nodedev-list` shows them", argv[1]);
}
