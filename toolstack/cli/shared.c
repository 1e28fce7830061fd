/* What several verbs need: finding a domain, its state in a word, asking it for something. */
#include "cli.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <abi/control.h>
#include <report/json.h>

#include <xen/sched.h>

struct entry *cli_domain(struct cli *cli, const char *name)
{
    struct entry *e = supervise_find(cli->supervise, name);

    if (!e)
        cli_error("there is no domain %s: `list --all` shows them", name);
    return e;
}

struct entry *cli_live_domain(struct cli *cli, const char *name)
{
    struct entry *e = cli_domain(cli, name);

    if (e && e->phase == ENTRY_LIVE && !e->dead)
        return e;
    if (e)
        cli_error("domain %s is not running: it is %s", e->config->name, cli_state(e));
    return NULL;
}

static const char *live_state(const struct entry *e)
{
    int64_t flags = e->again ? 0 : domain_flags(e->domid);
    uint64_t code = ((uint64_t)flags >> XEN_DOMINF_shutdownshift) & XEN_DOMINF_shutdownmask;

    if (e->parked)
        return "parked";
    if (e->again)
        return "starting";
    if (flags < 0)
        return "gone";
    if ((uint64_t)flags & XEN_DOMINF_dying)
        return "dying";
    if ((uint64_t)flags & XEN_DOMINF_shutdown)
        return code == SHUTDOWN_poweroff || code == SHUTDOWN_reboot ? "shut off" : "crashed";
    return (uint64_t)flags & XEN_DOMINF_paused ? "paused" : "running";
}

bool cli_is_gone(void *entry)
{
    return !entry_is_active(entry);
}

const char *cli_state(const struct entry *e)
{
    switch (e->phase) {
    case ENTRY_STOPPED: return "shut off";
    case ENTRY_FAILED: return "failed";
    case ENTRY_WAITING:
    case ENTRY_OPENING: return "starting";
    case ENTRY_CLOSING: return "in shutdown";
    case ENTRY_LIVE: break;
    }
    return live_state(e);
}

bool cli_is_unsafe(const struct cli *cli, const struct entry *e)
{
    return config_is_driver(e->config) && !cli->iommu_present;
}

bool cli_is_injectable(const struct cli *cli, const struct entry *e)
{
    /* The control domain's end is the host's. */
    return cli->supervise->faults_allowed &&
           (config_announces(e->config) || (e->service && e->domid != 0));
}

bool cli_flag(int *argc, char **argv, const char *flag)
{
    for (int i = 1; i < *argc; i++) {
        if (strcmp(argv[i], flag) != 0)
            continue;
        memmove(argv + i, argv + i + 1, (size_t)(*argc - i - 1) * sizeof(*argv));
        (*argc)--;
        return true;
    }
    return false;
}

int cli_ask(struct cli *cli, struct entry *e, const char *what)
{
    struct store_client *store = cli->supervise->store;
    uint64_t listens = 0;
    int rc = store_read_number(store, STORE_TX_NONE, &listens,
                               "/local/domain/%u/control/feature-%s", e->domid, what);

    if (rc < 0 || listens != 1)
        return -ENODEV;
    return store_write(store, STORE_TX_NONE, what, "/local/domain/%u/control/shutdown", e->domid);
}

int cli_print_json(struct json *json)
{
    char *text = json_finish(json);

    if (!text)
        return cli_error("not enough memory");
    cli_print("%s", text);
    free(text);
    return 0;
}
