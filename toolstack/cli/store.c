/* store: nodes of XenStore, as the control domain sees them. */
#include "cli.h"

#include <stdlib.h>
#include <string.h>

static char value[STORE_PAYLOAD_MAX + 1];

static int complain(const char *path, int rc)
{
    return cli_error("%s: %s", path, strerror(-rc));
}

static int list_node(struct store_client *store, const char *path)
{
    const char *name = value;
    int count = store_list(store, STORE_TX_NONE, value, sizeof(value), "%s", path);

    if (count < 0)
        return complain(path, count);
    for (int i = 0; i < count; i++, name = store_next_name(name))
        cli_print("%s\n", name);
    return 0;
}

static int read_node(struct store_client *store, const char *path)
{
    int rc = store_read(store, STORE_TX_NONE, value, sizeof(value), "%s", path);

    if (rc < 0)
        return complain(path, rc);
    cli_print("%s\n", value);
    return 0;
}

static int write_node(struct store_client *store, const char *path, const char *text)
{
    int rc = store_write(store, STORE_TX_NONE, text, "%s", path);

    return rc < 0 ? complain(path, rc) : 0;
}

static int watch_node(struct cli *cli, const char *path)
{
    int rc = store_watch(cli->supervise->store, "user", "%s", path);

    if (rc < 0)
        return complain(path, rc);
    cli->watching = strdup(path);
    return cli->watching ? 0 : complain(path, -12);
}

int verb_store(struct cli *cli, int argc, char **argv)
{
    struct store_client *store = cli->supervise->store;
    bool has_value = strcmp(argv[1], "write") == 0;

    if (argc != (has_value ? 4 : 3) && !(strcmp(argv[1], "ls") == 0 && argc == 2))
        return cli_usage("store", argc > 3 ? "too many words" : "too few words");
    if (strcmp(argv[1], "ls") == 0)
        return list_node(store, argc == 2 ? "/" : argv[2]);
    if (strcmp(argv[1], "read") == 0)
        return read_node(store, argv[2]);
    if (has_value)
        return write_node(store, argv[2], argv[3]);
    if (strcmp(argv[1], "watch") == 0)
        return watch_node(cli, argv[2]);
    return cli_usage("store", argv[1]);
}
