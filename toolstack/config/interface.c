/* Setters of a domain's network interfaces, and what their values together show. */
#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "elements.h"
#include "reading.h"
#include "value.h"

static struct config_interface *interface_of(struct walk *walk)
{
    struct domain_config *domain = reading_domain(walk);

    return &domain->interfaces[domain->interface_count - 1];
}

int interface_begin(struct walk *walk)
{
    struct domain_config *domain = reading_domain(walk);
    struct config_interface *interfaces =
        realloc(domain->interfaces, (domain->interface_count + 1) * sizeof(*interfaces));

    if (!interfaces)
        return -ENOMEM;
    domain->interfaces = interfaces;
    interfaces[domain->interface_count] =
        (struct config_interface){.served = {.class = CONFIG_INTERFACE,
                                             .number = (uint32_t)domain->interface_count,
                                             .line = walk->line,
                                             .backend_line = walk->line},
                                  .mac_line = walk->line};
    domain->interface_count++;
    return 0;
}

int interface_set_bridge(struct walk *walk, const char *text)
{
    interface_of(walk)->served.source_line = walk->line;
    return reading_keep(&interface_of(walk)->bridge, text);
}

int interface_set_mac(struct walk *walk, const char *text)
{
    interface_of(walk)->mac_line = walk->line;
    interface_of(walk)->mac_given = true;
    value_mac(text, interface_of(walk)->mac);
    return 0;
}

int interface_set_backend(struct walk *walk, const char *text)
{
    interface_of(walk)->served.backend_line = walk->line;
    return reading_keep(&interface_of(walk)->served.backend_name, text);
}

int interface_set_target(struct walk *walk, const char *text)
{
    interface_of(walk)->target_line = walk->line;
    /* What a dump of a running domain says is no name that was given. */
    if (walk_matches("vif[0-9]+\\.[0-9]+", text))
        return 0;
    return reading_keep(&interface_of(walk)->target, text);
}

int interface_set_mtu(struct walk *walk, const char *text)
{
    interface_of(walk)->mtu_line = walk->line;
    interface_of(walk)->mtu = (uint16_t)value_number(text);
    return 0;
}

int interface_set_isolated(struct walk *walk, const char *text)
{
    interface_of(walk)->port_line = walk->line;
    interface_of(walk)->isolated = text[0] == 'y';
    return 0;
}

/* ---- bandwidth ---------------------------------------------------------------------------- */

int interface_begin_inbound(struct walk *walk)
{
    interface_of(walk)->inbound_line = walk->line;
    reading_of(walk)->rate = &interface_of(walk)->inbound;
    return 0;
}

int interface_begin_outbound(struct walk *walk)
{
    interface_of(walk)->outbound_line = walk->line;
    reading_of(walk)->rate = &interface_of(walk)->outbound;
    return 0;
}

int interface_set_average(struct walk *walk, const char *text)
{
    reading_of(walk)->rate->average = value_number(text);
    return 0;
}

int interface_set_peak(struct walk *walk, const char *text)
{
    reading_of(walk)->rate->peak = value_number(text);
    return 0;
}

int interface_set_burst(struct walk *walk, const char *text)
{
    reading_of(walk)->rate->burst = value_number(text);
    return 0;
}

static void check_rate(struct walk *walk, const struct config_rate *rate, unsigned line)
{
    if (rate->peak && rate->peak < rate->average)
        walk_refuse(walk, line, "peak='%u' is less than average='%u': write a peak of %u or more",
                    rate->peak, rate->average, rate->average);
}

/* ---- VLANs -------------------------------------------------------------------------------- */

int interface_begin_vlan(struct walk *walk)
{
    interface_of(walk)->vlan_line = walk->line;
    reading_of(walk)->native = 0;
    return 0;
}

int interface_set_trunk(struct walk *walk, const char *text)
{
    (void)text;
    interface_of(walk)->vlan.trunk = true;
    return 0;
}

/* A tag's two attributes come in any order; until its id is known it is 0. */
int interface_begin_tag(struct walk *walk)
{
    struct config_vlan *vlan = &interface_of(walk)->vlan;
    uint16_t *tags = realloc(vlan->tags, (vlan->count + 1) * sizeof(*tags));

    if (!tags)
        return -ENOMEM;
    vlan->tags = tags;
    tags[vlan->count++] = 0;
    return 0;
}

int interface_set_tag(struct walk *walk, const char *text)
{
    struct config_vlan *vlan = &interface_of(walk)->vlan;
    uint16_t tag = (uint16_t)value_number(text);

    for (size_t i = 0; i + 1 < vlan->count; i++) {
        if (vlan->tags[i] == tag)
            walk_refuse(walk, walk->line, "VLAN %u stands there already: remove one of the two",
                        tag);
    }
    vlan->tags[vlan->count - 1] = tag;
    if (reading_of(walk)->native == vlan->count)
        vlan->native = tag;
    return 0;
}

int interface_set_native(struct walk *walk, const char *text)
{
    struct config_vlan *vlan = &interface_of(walk)->vlan;

    (void)text;
    if (reading_of(walk)->native)
        walk_refuse(walk, walk->line, "a second native VLAN: frames without a tag belong to one");
    reading_of(walk)->native = vlan->count;
    vlan->native = vlan->tags[vlan->count - 1];
    return 0;
}

static void check_vlan(struct walk *walk, const struct config_interface *interface)
{
    const struct config_vlan *vlan = &interface->vlan;

    if (vlan->count > CONFIG_TAGS_MAX)
        walk_refuse(walk, interface->vlan_line, "%zu VLANs: write %u at most", vlan->count,
                    CONFIG_TAGS_MAX);
    if (!vlan->trunk && (vlan->count > 1 || vlan->native))
        walk_refuse(walk, interface->vlan_line,
                    "several VLANs, or one that is native, are for a trunk: write <vlan "
                    "trunk='yes'>");
}

/* ---- filters ------------------------------------------------------------------------------ */

static const char *const filters[] = {
    [CONFIG_NO_MAC_SPOOFING] = "no-mac-spoofing",
    [CONFIG_NO_IP_SPOOFING] = "no-ip-spoofing",
    [CONFIG_NO_ARP_SPOOFING] = "no-arp-spoofing",
    [CONFIG_CLEAN_TRAFFIC] = "clean-traffic",
};

const char *config_filter_name(enum config_filter filter)
{
    return filters[filter];
}

int interface_set_filter(struct walk *walk, const char *text)
{
    interface_of(walk)->filter_line = walk->line;
    for (unsigned i = CONFIG_NO_MAC_SPOOFING; i <= CONFIG_CLEAN_TRAFFIC; i++) {
        if (strcmp(filters[i], text) == 0)
            interface_of(walk)->filter = (enum config_filter)i;
    }
    return 0;
}

static struct config_address *address_of(struct walk *walk)
{
    return &interface_of(walk)->addresses[interface_of(walk)->address_count - 1];
}

int interface_begin_parameter(struct walk *walk)
{
    struct config_interface *interface = interface_of(walk);
    struct config_address *addresses =
        realloc(interface->addresses, (interface->address_count + 1) * sizeof(*addresses));

    if (!addresses)
        return -ENOMEM;
    interface->addresses = addresses;
    addresses[interface->address_count++] = (struct config_address){.line = walk->line};
    return 0;
}

int interface_set_parameter(struct walk *walk, const char *text)
{
    address_of(walk)->is6 = strcmp(text, "IPV6") == 0;
    return 0;
}

int interface_set_address(struct walk *walk, const char *text)
{
    return reading_keep(&address_of(walk)->text, text);
}

/* As it is usually written: the back end compares nothing, it only reads. */
static int check_address(struct walk *walk, struct config_address *address)
{
    const int family = address->is6 ? AF_INET6 : AF_INET;
    char text[INET6_ADDRSTRLEN];
    uint8_t bytes[16];

    if (inet_pton(family, address->text, bytes) == 1 &&
        inet_ntop(family, bytes, text, sizeof(text)))
        return reading_keep(&address->text, text);
    walk_refuse(walk, address->line, "'%s' is no IPv%c address: write value='%s'%s", address->text,
                address->is6 ? '6' : '4', address->is6 ? "2001:db8::7" : "192.0.2.7",
                address->is6 ? "" : ", or name='IPV6'");
    return 0;
}

static int check_filter(struct walk *walk, const struct config_interface *interface)
{
    int rc = 0;

    if (interface->address_count > CONFIG_ADDRESSES_MAX)
        walk_refuse(walk, interface->filter_line, "%zu addresses: write %u at most",
                    interface->address_count, CONFIG_ADDRESSES_MAX);
    if (interface->address_count > 0 && interface->filter == CONFIG_NO_MAC_SPOOFING)
        walk_refuse(walk, interface->addresses[0].line,
                    "no-mac-spoofing looks at no IP address: remove <parameter>, or write "
                    "filter='clean-traffic'");
    for (size_t i = 0; i < interface->address_count && rc == 0; i++)
        rc = check_address(walk, &interface->addresses[i]);
    return rc;
}

/* ---- the whole ---------------------------------------------------------------------------- */

int interface_check(struct walk *walk, const struct domain_config *domain)
{
    int rc = 0;

    for (size_t i = 0; i < domain->interface_count && rc == 0; i++) {
        const struct config_interface *interface = &domain->interfaces[i];

        check_rate(walk, &interface->inbound, interface->inbound_line);
        check_rate(walk, &interface->outbound, interface->outbound_line);
        check_vlan(walk, interface);
        rc = check_filter(walk, interface);
    }
    return rc;
}

void interface_fill_in(struct domain_config *domain)
{
    for (size_t i = 0; i < domain->interface_count; i++) {
        struct config_interface *interface = &domain->interfaces[i];

        if (!interface->mac_given)
            value_mac_of(domain->uuid, (uint32_t)i, interface->mac);
    }
}

void interface_free(struct domain_config *domain)
{
    for (size_t i = 0; i < domain->interface_count; i++) {
        struct config_interface *interface = &domain->interfaces[i];

        for (size_t n = 0; n < interface->address_count; n++)
            free(interface->addresses[n].text);
        free(interface->addresses);
        free(interface->vlan.tags);
        free(interface->target);
        free(interface->bridge);
        free(interface->served.backend_name);
    }
    free(domain->interfaces);
}
