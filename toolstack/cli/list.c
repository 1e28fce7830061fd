/* list: the domains, one row each. */
#include "cli.h"

#include <stdio.h>
#include <stdlib.h>

#include <report/json.h>

static void print_row(const struct cli *cli, const struct entry *e)
{
    char id[8] = "-";

    if (e->domid != DOMID_INVALID)
        (void)snprintf(id, sizeof(id), "%u", e->domid);
    cli_print(" %-4s %-20s %s%s%s\n", id, e->config->name, cli_state(e),
              cli_is_unsafe(cli, e) ? "   UNSAFE" : "",
              cli_is_injectable(cli, e) ? "   INJECTABLE" : "");
}

static void write_row(const struct cli *cli, const struct entry *e, struct json *json)
{
    json_object_open(json, NULL);
    json_string(json, "name", e->config->name);
    if (e->domid != DOMID_INVALID)
        json_number(json, "id", e->domid);
    json_string(json, "state", cli_state(e));
    json_bool(json, "unsafe", cli_is_unsafe(cli, e));
    json_bool(json, "injectable", cli_is_injectable(cli, e));
    json_bool(json, "service", e->service);
    json_object_close(json);
}

static void print_table(const struct cli *cli, bool all)
{
    cli_print(" %-4s %-20s %s\n", "Id", "Name", "State");
    cli_print("-----------------------------------------\n");
    for (size_t i = 0; i < cli->supervise->count; i++) {
        const struct entry *e = cli->supervise->entries[i];

        if (all || entry_is_active(e))
            print_row(cli, e);
    }
    cli_print("\n");
}

static int print_json(const struct cli *cli, bool all)
{
    struct json json;

    json_init(&json);
    json_array_open(&json, NULL);
    for (size_t i = 0; i < cli->supervise->count; i++) {
        const struct entry *e = cli->supervise->entries[i];

        if (all || entry_is_active(e))
            write_row(cli, e, &json);
    }
    json_array_close(&json);
    return cli_print_json(&json);
}

int verb_list(struct cli *cli, int argc, char **argv)
{
    bool all = cli_flag(&argc, argv, "--all");
    bool json = cli_flag(&argc, argv, "--json");

    if (argc > 1)
        return cli_usage("list", argv[1]);
    if (json)
        return print_json(cli, all);
    print_table(cli, all);
    return 0;
}
