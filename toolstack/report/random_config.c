/* Domain configurations made of random bytes. */
#include "random_config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <abi/rights.h>

static uint8_t next(struct random_config *random)
{
    if (random->len == 0)
        return 0;
    random->len--;
    return *random->data++;
}

static char *keep(const char *text)
{
    char *copy = strdup(text);

    if (!copy)
        abort();
    return copy;
}

/* Text of up to 40 pieces out of those that XML makes difficult. */
static char *make_text(struct random_config *random, bool one_line)
{
    static const char *const pieces[] = {
        "a",    "<",     ">",   "&",  "'",        "\"",           "]]>",
        " ",    "&amp;", "\t",  "\r", "\xc3\xa4", "\xe2\x82\xac", "\xf0\x9f\x98\x80",
        "<!--", "\n",    "\n\n"};
    size_t count = sizeof(pieces) / sizeof(*pieces) - (one_line ? 2 : 0);
    char text[256] = "";
    size_t used = 0;

    if (next(random) % 4 == 0)
        return NULL;
    for (unsigned i = next(random) % 40; i > 0; i--)
        used +=
            (size_t)snprintf(text + used, sizeof(text) - used, "%s", pieces[next(random) % count]);
    return keep(one_line && !*text ? "x" : text);
}

static char *make_name(struct random_config *random)
{
    static const char letters[] = "abcxyzABCXYZ0189_.-";
    char name[64];
    size_t len = 1 + next(random) % 63;

    for (size_t i = 0; i < len; i++)
        name[i] = letters[next(random) % (i ? sizeof(letters) - 1 : 16)];
    name[len] = '\0';
    return keep(name);
}

static char *make_path(struct random_config *random, const char *start)
{
    static const char letters[] = "abyz09_+%@!\"#$&'()*,-.:;<=>?[\\]^`{|}~";
    char path[256];
    size_t len = (size_t)snprintf(path, sizeof(path), "%s", start);

    for (unsigned parts = 1 + next(random) % 3; parts > 0; parts--) {
        path[len++] = '/';
        path[len++] = 'a';
        for (unsigned i = next(random) % 20; i > 0; i--)
            path[len++] = letters[next(random) % (sizeof(letters) - 1)];
    }
    path[len] = '\0';
    return keep(path);
}

static uint64_t make_size(struct random_config *random)
{
    uint64_t size = 1;

    for (unsigned i = next(random) % 6; i > 0; i--)
        size = size << 8 | next(random);
    return size << 10;
}

static void make_disks(struct random_config *random, struct domain_config *domain)
{
    domain->disk_count = next(random) % 4;
    domain->disks = calloc(domain->disk_count + 1, sizeof(*domain->disks));
    if (!domain->disks)
        abort();
    for (size_t i = 0; i < domain->disk_count; i++) {
        struct config_disk *disk = &domain->disks[i];
        char target[8];

        (void)snprintf(target, sizeof(target), "xvd%c%c", 'a' + next(random) % 26, (int)('a' + i));
        disk->target = keep(target);
        disk->served.number = config_disk_number(target);
        disk->is_file = next(random) & 1;
        disk->source = make_path(random, disk->is_file ? "" : "/dev");
        disk->readonly = next(random) & 1;
        disk->served.backend_name = next(random) & 1 ? make_name(random) : NULL;
    }
}

static struct config_rate make_rate(struct random_config *random)
{
    struct config_rate rate = {0};

    if (next(random) & 1)
        return rate;
    rate.average = 1u + next(random);
    rate.peak = next(random) & 1 ? rate.average + next(random) : 0;
    rate.burst = next(random);
    return rate;
}

static void make_vlan(struct random_config *random, struct config_vlan *vlan)
{
    vlan->count = next(random) % 5;
    vlan->tags = calloc(vlan->count + 1, sizeof(*vlan->tags));
    if (!vlan->tags)
        abort();
    for (size_t i = 0; i < vlan->count; i++)
        vlan->tags[i] = (uint16_t)(1 + next(random) + 256 * i);
    vlan->trunk = vlan->count > 1 || (vlan->count == 1 && next(random) & 1);
    if (vlan->trunk && next(random) & 1)
        vlan->native = vlan->tags[next(random) % vlan->count];
}

static void make_filter(struct random_config *random, struct config_interface *interface)
{
    static const char *const addresses[] = {"192.0.2.1", "10.255.0.9", "2001:db8::1", "fe80::2:3"};

    interface->filter = next(random) % 5;
    interface->address_count = interface->filter > CONFIG_NO_MAC_SPOOFING ? next(random) % 4 : 0;
    interface->addresses = calloc(interface->address_count + 1, sizeof(*interface->addresses));
    if (!interface->addresses)
        abort();
    for (size_t i = 0; i < interface->address_count; i++) {
        interface->addresses[i].is6 = next(random) & 1;
        interface->addresses[i].text =
            keep(addresses[2 * interface->addresses[i].is6 + (next(random) & 1)]);
    }
}

static char *make_link(struct random_config *random)
{
    char *name = make_name(random);

    name[strnlen(name, 15)] = '\0';
    return name;
}

/* A domain with bridges has to be a net domain with as many NICs. */
static void make_bridges(struct random_config *random, struct domain_config *domain)
{
    if (domain->hostdev_count == 0 || next(random) & 1)
        return;
    free(domain->kernel);
    domain->kernel = keep(CONFIG_NET_IMAGE);
    domain->bridge_count = domain->hostdev_count;
    domain->bridges = calloc(domain->bridge_count, sizeof(*domain->bridges));
    if (!domain->bridges)
        abort();
    for (unsigned i = 0; i < domain->bridge_count; i++) {
        domain->bridges[i].name = make_link(random);
        domain->bridges[i].name[0] = (char)('a' + i); /* unlike the others */
        domain->bridges[i].nic = i;
    }
}

static void make_interfaces(struct random_config *random, struct domain_config *domain)
{
    domain->interface_count = next(random) % 4;
    domain->interfaces = calloc(domain->interface_count + 1, sizeof(*domain->interfaces));
    if (!domain->interfaces)
        abort();
    for (size_t i = 0; i < domain->interface_count; i++) {
        struct config_interface *interface = &domain->interfaces[i];

        interface->served.class = CONFIG_INTERFACE;
        interface->served.number = (uint32_t)i;
        interface->served.backend_name = next(random) & 1 ? make_name(random) : NULL;
        interface->bridge = make_link(random);
        interface->target = next(random) & 1 ? make_link(random) : NULL;
        interface->mtu = (uint16_t)(next(random) & 1 ? 68 + 200 * next(random) : 0);
        interface->isolated = next(random) & 1;
        interface->inbound = make_rate(random);
        interface->outbound = make_rate(random);
        make_vlan(random, &interface->vlan);
        make_filter(random, interface);
        for (unsigned n = 0; n < 6; n++)
            interface->mac[n] = next(random);
        interface->mac[0] &= 0xfe;
        interface->mac[5] |= 1;
        interface->mac_given = true;
    }
}

static void make_hostdevs(struct random_config *random, struct domain_config *domain)
{
    domain->hostdev_count = next(random) % 4;
    domain->hostdevs = calloc(domain->hostdev_count + 1, sizeof(*domain->hostdevs));
    if (!domain->hostdevs)
        abort();
    for (size_t i = 0; i < domain->hostdev_count; i++) {
        domain->hostdevs[i] = (struct config_hostdev){
            .segment = (uint16_t)(next(random) << 8 | next(random)),
            .bus = next(random),
            .slot = next(random) % 32,
            .function = next(random) % 8,
            .managed = next(random) & 1,
        };
    }
}

/* Only of a domain of ours; on_crash is known. */
static void make_lives(struct random_config *random, struct domain_config *domain)
{
    if (!config_is_net(domain))
        return;
    domain->watchdog_ms = next(random) & 1 ? 100u + next(random) * 100u : 0;
    domain->has_restart = domain->on_crash == CONFIG_RESTART && next(random) & 1;
    if (domain->has_restart)
        domain->restart = (struct config_restart){.budget = 1u + next(random) % CONFIG_BUDGET_MAX,
                                                  .per_s = 1u + next(random),
                                                  .backoff_ms = next(random) * 100u};
}

struct domain_config *random_config_make(struct random_config *random)
{
    struct domain_config *domain = calloc(1, sizeof(*domain));

    if (!domain)
        abort();
    domain->file = keep("/x.xml");
    domain->name = make_name(random);
    for (unsigned i = 0; i < 16; i++)
        domain->uuid[i] = next(random);
    domain->uuid_given = true;
    domain->title = make_text(random, true);
    domain->description = make_text(random, false);
    domain->current_memory_bytes = make_size(random);
    domain->memory_bytes = domain->current_memory_bytes + (make_size(random) & ~1023ull);
    domain->vcpus = 1;
    domain->kernel = make_path(random, "");
    domain->initrd = next(random) & 1 ? make_path(random, "") : NULL;
    domain->cmdline = make_text(random, false);
    domain->on_poweroff = next(random) % 3;
    domain->on_reboot = next(random) % 3;
    domain->on_crash = next(random) % 3;
    make_disks(random, domain);
    make_interfaces(random, domain);
    make_hostdevs(random, domain);
    make_bridges(random, domain);
    domain->rights = next(random) & RIGHTS_ALL;
    domain->has_dma_limit = next(random) & 1;
    if (domain->has_dma_limit)
        domain->dma_limit = next(random);
    make_lives(random, domain);
    domain->emulator = next(random) & 1 ? make_path(random, "") : NULL;
    return domain;
}
