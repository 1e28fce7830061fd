/* inject: a domain of ours is told to fail, if host.xml allows that. */
#include "cli.h"

#include <inttypes.h>
#include <string.h>

#include <build/life.h>
#include <fault_kind.h>
#include <rt/clock.h>

#define ORDER_PATH "/local/domain/%u/" FAULT_NODE

/* So long a domain may take to see its order. */
#define TAKE_TIME (2ull * 1000000000)

struct waiting {
    struct store_client *store;
    domid_t domid;
};

/*
 * What store and console are told by events: the store cannot be told by itself.
 * They have no devices, and all that they would spoil is everybody's.
 */
static const struct {
    const char *why_not;
    enum life_order order;
} service_orders[FAULT_KINDS] = {
    [FAULT_CRASH] = {NULL, LIFE_CRASH},
    [FAULT_HANG] = {NULL, LIFE_HANG},
    [FAULT_LEAK] = {NULL, LIFE_LEAK},
    [FAULT_STALL_DMA] = {.why_not = "it has no device"},
    [FAULT_WILD_WRITE] = {.why_not = "what it keeps is all domains'"},
    [FAULT_CORRUPT_RING] = {.why_not = "its rings are all domains'"},
    [FAULT_FLIP] = {.why_not = "what it keeps is all domains'"},
};

/* The domain takes the order away before it fails. */
static bool is_taken(void *context)
{
    const struct waiting *w = context;

    return store_exists(w->store, STORE_TX_NONE, ORDER_PATH, w->domid) <= 0;
}

/* A service as it was before its order. */
struct waiting_service {
    const struct entry *entry;
    unsigned lives;
    uint32_t obeyed;
};

static uint32_t obeyed_by(const struct entry *e)
{
    struct life_page page;

    return life_read(e->domid, &page, offsetof(struct life_page, end)) < 0 ? 0 : page.obeyed;
}

/* It says so on its page; or that is already the page of its next life. */
static bool is_obeyed(void *context)
{
    const struct waiting_service *w = context;

    return w->entry->lives != w->lives || obeyed_by(w->entry) != w->obeyed;
}

static int refuse(const struct cli *cli)
{
    return cli_error("host.xml:%u: fault injection is not allowed on this host: write "
                     "<fault-injection allowed='yes'/> into it and boot it again",
                     cli->faults_line > 0 ? cli->faults_line : 1);
}

static int service_order_give(struct cli *cli, const struct entry *e, enum fault_kind kind)
{
    struct waiting_service w = {e, e->lives, obeyed_by(e)};
    const char *why_not = service_orders[kind].why_not;
    int rc;

    if (why_not)
        return cli_error("domain %s does not take the order %s, since %s: write crash, hang or "
                         "leak",
                         e->config->name, fault_kind_name(kind), why_not);
    rc = life_order(e->domid, service_orders[kind].order);
    if (rc < 0)
        return cli_error("the core refused the order: %s", strerror(-rc));
    if (!cli_wait(cli, is_obeyed, &w, TAKE_TIME))
        return cli_error("domain %s has not taken the order in 2 s: it may hang, see `restart`",
                         e->config->name);
    cli_print("Domain %s: %s\n", e->config->name, fault_kind_name(kind));
    return 0;
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
        return cli_error("domain %s takes no such orders: name the store, the console, or "
                         "a block or net domain of the project's own images",
                         e->config->name);
    return e->service ? service_order_give(cli, e, order.kind) : order_give(cli, e, &order);
}
