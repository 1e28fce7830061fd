/* domiflist, domifstat, domblklist, domblkstat: a domain's interfaces and disks. */
#include "counters.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <report/config_json.h>
#include <report/json.h>

/* ---- lists ---------------------------------------------------------------------------------- */

static const char *backend_of(const struct config_served *served)
{
    if (served->backend)
        return served->backend->name;
    return served->backend_name ? served->backend_name : "-";
}

static void list_interface(const struct entry *e, size_t index, struct json *json)
{
    const struct config_served *served = config_served(e->config, index);
    const struct config_interface *interface = config_interface_of(served);
    char name[DEVICE_NAME_MAX];
    char mac[18];

    config_json_mac(interface->mac, mac);
    counters_device_name(e, index, name);
    if (!json) {
        cli_print(" %-15s %-8s %-15s %-10s %-17s  %s\n", name, "bridge", interface->bridge,
                  "netfront", mac, backend_of(served));
        return;
    }
    json_object_open(json, NULL);
    json_string(json, "interface", name);
    json_string(json, "type", "bridge");
    json_string(json, "source", interface->bridge);
    json_string(json, "model", "netfront");
    json_string(json, "mac", mac);
    json_string(json, "backend", backend_of(served));
    json_object_close(json);
}

static void list_disk(const struct entry *e, size_t index, struct json *json)
{
    const struct config_served *served = config_served(e->config, index);
    const struct config_disk *disk = config_disk_of(served);

    if (!json) {
        cli_print(" %-8s %-40s %s\n", disk->target, disk->source, backend_of(served));
        return;
    }
    json_object_open(json, NULL);
    json_string(json, "target", disk->target);
    json_string(json, "source", disk->source);
    json_string(json, "backend", backend_of(served));
    json_object_close(json);
}

static void print_head(enum config_class class)
{
    if (class == CONFIG_INTERFACE)
        cli_print(" %-15s %-8s %-15s %-10s %-17s  %s\n", "Interface", "Type", "Source", "Model",
                  "MAC", "Backend");
    else
        cli_print(" %-8s %-40s %s\n", "Target", "Source", "Backend");
    cli_print(
        "---------------------------------------------------------------------------------\n");
}

static int list(struct cli *cli, int argc, char **argv, enum config_class class)
{
    bool as_json = cli_flag(&argc, argv, "--json");
    const struct entry *e = argc == 2 ? cli_domain(cli, argv[1]) : NULL;
    struct json json;

    if (argc != 2)
        return cli_usage(argv[0], argc < 2 ? "too few words" : "too many words");
    if (!e)
        return -1;
    if (as_json) {
        json_init(&json);
        json_array_open(&json, NULL);
    } else {
        print_head(class);
    }
    for (size_t i = 0; i < config_served_count(e->config); i++) {
        if (config_served(e->config, i)->class != class)
            continue;
        if (class == CONFIG_INTERFACE)
            list_interface(e, i, as_json ? &json : NULL);
        else
            list_disk(e, i, as_json ? &json : NULL);
    }
    if (!as_json) {
        cli_print("\n");
        return 0;
    }
    json_array_close(&json);
    return cli_print_json(&json);
}

int verb_domiflist(struct cli *cli, int argc, char **argv)
{
    return list(cli, argc, argv, CONFIG_INTERFACE);
}

int verb_domblklist(struct cli *cli, int argc, char **argv)
{
    return list(cli, argc, argv, CONFIG_DISK);
}

/* ---- counters of one ------------------------------------------------------------------------- */

/* By its name or, as virsh does, by an interface's address or a disk's source. */
static bool is_called(const struct entry *e, size_t index, const char *name)
{
    const struct config_served *served = config_served(e->config, index);
    char text[DEVICE_NAME_MAX];

    if (strcmp(counters_device_name(e, index, text), name) == 0)
        return true;
    if (served->class == CONFIG_DISK)
        return strcmp(config_disk_of(served)->source, name) == 0;
    (void)snprintf(text, sizeof(text), "vif%u.%u", e->domid, served->number);
    if (strcmp(text, name) == 0)
        return true;
    config_json_mac(config_interface_of(served)->mac, text);
    return strcasecmp(text, name) == 0;
}

/* virsh's names for what a disk did. */
static const char *block_name(const char *name)
{
    if (strcmp(name, "flush_req") == 0)
        return "flush_operations";
    return strcmp(name, "errors") == 0 ? "errs" : name;
}

static int show(const struct counters_ask *ask, bool as_json)
{
    const struct answer *c = &ask->answer;
    bool is_disk = config_served(ask->entry->config, ask->index)->class == CONFIG_DISK;
    char name[DEVICE_NAME_MAX];
    struct json json;

    counters_device_name(ask->entry, ask->index, name);
    if (ask->why[0])
        return cli_error("%s of %s: %s", name, ask->entry->config->name, ask->why);
    if (as_json) {
        json_init(&json);
        json_object_open(&json, NULL);
        json_string(&json, "device", name);
    }
    for (unsigned i = 0; i < c->count; i++) {
        const char *what = is_disk ? block_name(c->values[i].name) : c->values[i].name;

        if (as_json)
            json_number(&json, what, c->values[i].value);
        else
            cli_print("%s %s %llu\n", name, what, (unsigned long long)c->values[i].value);
    }
    if (!as_json) {
        cli_print("\n");
        return 0;
    }
    json_object_close(&json);
    return cli_print_json(&json);
}

static int stat_one(struct cli *cli, int argc, char **argv, enum config_class class)
{
    static struct counters_ask ask;
    bool as_json = cli_flag(&argc, argv, "--json");
    const struct entry *e;

    if (argc != 3)
        return cli_usage(argv[0], argc < 3 ? "too few words" : "too many words");
    e = cli_live_domain(cli, argv[1]);
    if (!e)
        return -1;
    for (size_t i = 0; i < config_served_count(e->config); i++) {
        if (config_served(e->config, i)->class != class || !is_called(e, i, argv[2]))
            continue;
        ask = (struct counters_ask){.entry = e, .index = i};
        counters_ask(cli, &ask, 1);
        return show(&ask, as_json);
    }
    return cli_error("domain %s has no %s %s: `%s %s` shows what it has", e->config->name,
                     class == CONFIG_DISK ? "disk" : "interface", argv[2],
                     class == CONFIG_DISK ? "domblklist" : "domiflist", e->config->name);
}

int verb_domifstat(struct cli *cli, int argc, char **argv)
{
    return stat_one(cli, argc, argv, CONFIG_INTERFACE);
}

int verb_domblkstat(struct cli *cli, int argc, char **argv)
{
    return stat_one(cli, argc, argv, CONFIG_DISK);
}
