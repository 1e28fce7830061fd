/* dominfo: what a domain is, as virsh shows it. */
#include "cli.h"

#include <string.h>

#include <abi/addr.h>
#include <abi/control.h>
#include <report/config_json.h>

/* The core's numbers on a domain; all zero if there is none. */
static struct xen_domctl_getdomaininfo ask_core(const struct entry *e)
{
    struct xen_domctl_getdomaininfo info;

    if (e->domid == DOMID_INVALID || domain_info(e->domid, &info) < 0)
        memset(&info, 0, sizeof(info));
    return info;
}

static const char *backend_of(const struct config_served *served)
{
    return served->backend ? served->backend->name : "?";
}

static void print_devices(const struct domain_config *c)
{
    for (size_t i = 0; i < c->disk_count; i++)
        cli_print("%-15s %s on %s of %s%s\n", "Disk:", c->disks[i].target, c->disks[i].source,
                  backend_of(&c->disks[i].served), c->disks[i].readonly ? " (read-only)" : "");
    for (size_t i = 0; i < c->interface_count; i++) {
        char mac[18];

        config_json_mac(c->interfaces[i].mac, mac);
        cli_print("%-15s %zu (%s) on bridge %s of %s\n", "Interface:", i, mac,
                  c->interfaces[i].bridge, backend_of(&c->interfaces[i].served));
    }
    for (size_t i = 0; i < c->hostdev_count; i++)
        cli_print("%-15s %04x:%02x:%02x.%x\n", "PCI function:", c->hostdevs[i].segment,
                  c->hostdevs[i].bus, c->hostdevs[i].slot, c->hostdevs[i].function);
}

int verb_dominfo(struct cli *cli, int argc, char **argv)
{
    const struct entry *e = cli_domain(cli, argv[1]);
    const struct domain_config *c;
    struct xen_domctl_getdomaininfo info;
    char uuid[40];

    (void)argc;
    if (!e)
        return -1;
    c = e->config;
    info = ask_core(e);
    config_json_uuid(c->uuid, uuid);
    if (e->domid == DOMID_INVALID)
        cli_print("%-15s -\n", "Id:");
    else
        cli_print("%-15s %u\n", "Id:", e->domid);
    cli_print("%-15s %s\n", "Name:", c->name);
    cli_print("%-15s %s\n", "UUID:", uuid);
    cli_print("%-15s xenpvh\n", "OS Type:");
    cli_print("%-15s %s\n", "State:", cli_state(e));
    cli_print("%-15s %u\n", "CPU(s):", c->vcpus);
    if (e->domid != DOMID_INVALID)
        cli_print("%-15s %llu.%llus\n",
                  "CPU time:", (unsigned long long)(info.cpu_time / 1000000000),
                  (unsigned long long)(info.cpu_time / 100000000 % 10));
    cli_print("%-15s %llu KiB\n", "Max memory:", (unsigned long long)(c->memory_bytes / 1024));
    if (e->domid != DOMID_INVALID)
        cli_print("%-15s %llu KiB\n",
                  "Used memory:", (unsigned long long)info.tot_pages * (PAGE_SIZE / 1024));
    cli_print("%-15s %s\n", "Autostart:", c->autostart ? "enable" : "disable");
    cli_print("%-15s %s\n", "Kernel:", entry_image(e));
    print_devices(c);
    if (cli_is_unsafe(cli, e))
        cli_print("%-15s UNSAFE: no IOMMU contains the DMA of its devices\n", "Security:");
    if (cli_is_injectable(cli, e))
        cli_print("%-15s INJECTABLE: fails when `inject` tells it to\n", "Faults:");
    return 0;
}
