/* inject: a driver domain of ours is told to fail, if host.xml allows that. */
#include "cli.h"

#include <inttypes.h>
#include <string.h>

#include <fault_kind.h>
#include <rt/clock.h>

#define ORDER_PATH "/local/domain/%u/" FAULT_NODE

/* So long a domain may take to see its order. */
#define TAKE_TIME (2ull * 1000000000)

struct waiting {
    struct store_client *store;
    domid_t domid;
};

/* The domain takes the order away before it fails. */
static bool is_taken(void *context)
{
    const struct waiting *w = context;

    return store_exists(w->store, STORE_TX_NONE, ORDER_PATH, w->domid) <= 0;
}

static int refuse(const struct cli *cli)
{
    return cli_error("host.xml:%u: fault injection is not allowed on this host: write "
                     "<fault-injection allowed='yes'/> into it and boot it again",
                     cli->faults_line > 0 ? cli->faults_line : 1);
}

static int order_give(struct cli *cli, const struct entry *e, const struct fault_order *order)
{
    struct waiting w = {cli->supervise->store, e->domid};
    char text[FAULT_ORDER_LEN];
    int rc;

    fault_order_write(order, text);
    rc = store_write(w.store, STORE_TX_NONE, text, ORDER_PATH, w.domid);
    if (rc < 0)
        return cli_error("the store refused the order: %s", strerror(-rc));
    if (!cli_wait(cli, is_taken, &w, TAKE_TIME)) {
        (void)!store_remove(w.store, STORE_TX_NONE, ORDER_PATH, w.domid);
        return cli_error("domain %s has not taken the order in 2 s, so it is withdrawn: it may "
                         "hang, see `restart`",
                         e->config->name);
    }
    cli_print("Domain %s: %s, seed %" PRIu64 "\n", e->config->name, fault_kind_name(order->kind),
              order->seed);
    return 0;
}

int verb_inject(struct cli *cli, int argc, char **argv)
{
    struct fault_order order = {.seed = clock_now()};
    const struct entry *e;

    if (!cli->supervise->faults_allowed)
        return refuse(cli);
    if (!fault_kind_find(argv[2], &order.kind))
        return cli_error("%s is no kind of fault: write crash, hang, wild-write, stall-dma, "
                         "corrupt-ring, leak or flip",
                         argv[2]);
    if (argc > 3 && !fault_seed_read(argv[3], &order.seed))
        return cli_error("%s is no seed: write a decimal number below 2^64", argv[3]);
    e = cli_live_domain(cli, argv[1]);
    if (!e)
        return -1;
    if (!cli_is_injectable(cli, e))
        return cli_error("domain %s takes no such orders: name a block or net domain of the "
                         "project's own images",
                         e->config->name);
    return order_give(cli, e, &order);
}
