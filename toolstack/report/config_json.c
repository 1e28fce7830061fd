/* A domain's configuration as JSON. */
#include "config_json.h"

#include <stdio.h>

#include "rights.h"

const char *config_json_action(enum config_action action)
{
    switch (action) {
    case CONFIG_RESTART: return "restart";
    case CONFIG_PRESERVE: return "preserve";
    case CONFIG_DESTROY: return "destroy";
    }
    return "destroy";
}

void config_json_uuid(const uint8_t uuid[16], char *text)
{
    for (unsigned i = 0; i < 16; i++) {
        text += sprintf(text, "%02x", uuid[i]);
        if (i == 3 || i == 5 || i == 7 || i == 9)
            *text++ = '-';
    }
    *text = '\0';
}

static void write_served_lines(struct json *json, const struct config_served *served)
{
    json_number(json, "line", served->line);
    json_number(json, "source_line", served->source_line);
    json_number(json, "backend_line", served->backend_line);
}

static void write_disk(struct json *json, const struct config_disk *disk, bool with_lines)
{
    json_object_open(json, NULL);
    json_string(json, "type", disk->is_file ? "file" : "block");
    json_string(json, "source", disk->source);
    json_string(json, "target", disk->target);
    json_number(json, "number", disk->served.number);
    json_bool(json, "readonly", disk->readonly);
    json_string(json, "backend",
                disk->served.backend ? disk->served.backend->name : disk->served.backend_name);
    if (with_lines) {
        json_number(json, "target_line", disk->target_line);
        write_served_lines(json, &disk->served);
    }
    json_object_close(json);
}

void config_json_mac(const uint8_t mac[6], char *text)
{
    (void)sprintf(text, "%02x:%02x:%02x:%02x:%02x:%02x", mac[0], mac[1], mac[2], mac[3], mac[4],
                  mac[5]);
}

static void write_rate(struct json *json, const char *key, const struct config_rate *rate)
{
    json_object_open(json, key);
    json_number(json, "average", rate->average);
    json_number(json, "peak", rate->peak);
    json_number(json, "burst", rate->burst);
    json_object_close(json);
}

static void write_vlan(struct json *json, const struct config_vlan *vlan)
{
    json_object_open(json, "vlan");
    json_bool(json, "trunk", vlan->trunk);
    json_array_open(json, "tags");
    for (size_t i = 0; i < vlan->count; i++)
        json_number(json, NULL, vlan->tags[i]);
    json_array_close(json);
    json_number(json, "native", vlan->native);
    json_object_close(json);
}

static void write_interface_lines(struct json *json, const struct config_interface *interface)
{
    json_bool(json, "mac_given", interface->mac_given);
    write_served_lines(json, &interface->served);
    json_number(json, "mac_line", interface->mac_line);
    json_number(json, "target_line", interface->target_line);
    json_number(json, "mtu_line", interface->mtu_line);
    json_number(json, "port_line", interface->port_line);
    json_number(json, "inbound_line", interface->inbound_line);
    json_number(json, "outbound_line", interface->outbound_line);
    json_number(json, "vlan_line", interface->vlan_line);
    json_number(json, "filter_line", interface->filter_line);
}

static void write_interface(struct json *json, const struct config_interface *interface,
                            bool with_lines)
{
    const struct config_served *served = &interface->served;
    char mac[18];

    config_json_mac(interface->mac, mac);
    json_object_open(json, NULL);
    json_string(json, "bridge", interface->bridge);
    json_string(json, "mac", mac);
    json_string(json, "target", interface->target);
    json_string(json, "backend", served->backend ? served->backend->name : served->backend_name);
    json_number(json, "mtu", interface->mtu);
    json_bool(json, "isolated", interface->isolated);
    write_rate(json, "inbound", &interface->inbound);
    write_rate(json, "outbound", &interface->outbound);
    write_vlan(json, &interface->vlan);
    json_string(json, "filter", config_filter_name(interface->filter));
    json_array_open(json, "addresses");
    for (size_t i = 0; i < interface->address_count; i++)
        json_string(json, NULL, interface->addresses[i].text);
    json_array_close(json);
    if (with_lines)
        write_interface_lines(json, interface);
    json_object_close(json);
}

static void write_bridges(struct json *json, const struct domain_config *domain, bool with_lines)
{
    json_array_open(json, "bridges");
    for (size_t i = 0; i < domain->bridge_count; i++) {
        json_object_open(json, NULL);
        json_string(json, "name", domain->bridges[i].name);
        json_number(json, "nic", domain->bridges[i].nic);
        if (with_lines)
            json_number(json, "line", domain->bridges[i].line);
        json_object_close(json);
    }
    json_array_close(json);
}

static void write_hostdev(struct json *json, const struct config_hostdev *dev, bool with_lines)
{
    char address[16];

    (void)snprintf(address, sizeof(address), "%04x:%02x:%02x.%x", dev->segment, dev->bus, dev->slot,
                   dev->function);
    json_object_open(json, NULL);
    json_string(json, "address", address);
    json_bool(json, "managed", dev->managed);
    if (with_lines) {
        json_number(json, "line", dev->line);
        json_number(json, "address_line", dev->address_line);
    }
    json_object_close(json);
}

static void write_rights(struct json *json, uint32_t rights)
{
    json_array_open(json, "rights");
    for (uint32_t right = 1; right; right <<= 1) {
        if (rights & right)
            json_string(json, NULL, rights_name(right));
    }
    json_array_close(json);
}

static void write_lines(struct json *json, const struct domain_config *domain)
{
    json_object_open(json, "lines");
    json_number(json, "domain", domain->line);
    json_number(json, "name", domain->name_line);
    json_number(json, "uuid", domain->uuid_line);
    json_number(json, "memory", domain->memory_line);
    json_number(json, "currentMemory", domain->current_memory_line);
    json_number(json, "vcpu", domain->vcpu_line);
    json_number(json, "kernel", domain->kernel_line);
    json_number(json, "initrd", domain->initrd_line);
    json_number(json, "rights", domain->rights_line);
    json_object_close(json);
}

static void write_scalars(struct json *json, const struct domain_config *domain)
{
    char uuid[37];

    config_json_uuid(domain->uuid, uuid);
    json_string(json, "name", domain->name);
    json_string(json, "uuid", uuid);
    json_bool(json, "uuid_given", domain->uuid_given);
    json_string(json, "title", domain->title);
    json_string(json, "description", domain->description);
    json_number(json, "memory", domain->memory_bytes);
    json_number(json, "currentMemory", domain->current_memory_bytes);
    json_number(json, "vcpus", domain->vcpus);
    json_string(json, "kernel", domain->kernel);
    json_string(json, "initrd", domain->initrd);
    json_string(json, "cmdline", domain->cmdline);
    json_string(json, "on_poweroff", config_json_action(domain->on_poweroff));
    json_string(json, "on_reboot", config_json_action(domain->on_reboot));
    json_string(json, "on_crash", config_json_action(domain->on_crash));
    json_string(json, "emulator", domain->emulator);
}

static void write_lives(struct json *json, const struct domain_config *domain)
{
    if (domain->watchdog_ms)
        json_number(json, "watchdog_ms", domain->watchdog_ms);
    if (!domain->has_restart)
        return;
    json_object_open(json, "restart");
    json_number(json, "budget", domain->restart.budget);
    json_number(json, "per_s", domain->restart.per_s);
    json_number(json, "backoff_ms", domain->restart.backoff_ms);
    json_object_close(json);
}

void config_json_write(struct json *json, const char *key, const struct domain_config *domain,
                       bool with_lines)
{
    json_object_open(json, key);
    write_scalars(json, domain);
    json_array_open(json, "disks");
    for (size_t i = 0; i < domain->disk_count; i++)
        write_disk(json, &domain->disks[i], with_lines);
    json_array_close(json);
    json_array_open(json, "interfaces");
    for (size_t i = 0; i < domain->interface_count; i++)
        write_interface(json, &domain->interfaces[i], with_lines);
    json_array_close(json);
    json_array_open(json, "hostdevs");
    for (size_t i = 0; i < domain->hostdev_count; i++)
        write_hostdev(json, &domain->hostdevs[i], with_lines);
    json_array_close(json);
    write_bridges(json, domain, with_lines);
    write_rights(json, domain->rights);
    if (domain->has_dma_limit)
        json_number(json, "dma_limit", domain->dma_limit);
    write_lives(json, domain);
    if (with_lines)
        write_lines(json, domain);
    json_object_close(json);
}
