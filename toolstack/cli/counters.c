/* Asks back ends for their counters; what they answer is as little trusted as they are. */
#include "counters.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void give_up(struct counters_ask *ask, const char *what)
{
    const struct config_served *served = config_served(ask->entry->config, ask->index);

    ask->waiting = false;
    ask->answer.count = 0;
    (void)snprintf(ask->why, sizeof(ask->why), "%s %s",
                   served->backend ? served->backend->name : "its back end", what);
}

/* A question has a number of its own, so that no older answer is taken for this one's. */
static void begin(const struct supervise *s, struct counters_ask *ask)
{
    static uint64_t questions;
    const struct entry *e = ask->entry;

    ask->waiting = true;
    ask->answer = (struct answer){.number = ++questions};
    entry_backend_path(e, ask->index, ask->path);
    if (!backend_is_live(s, e, ask->index))
        give_up(ask, "is gone");
    else if (!config_announces(config_served(e->config, ask->index)->backend))
        give_up(ask, "is no driver domain of ours: its own tools have its counters");
    else if (store_write_number(s->store, STORE_TX_NONE, ask->answer.number, "%s/counters-ask",
                                ask->path) < 0)
        give_up(ask, "cannot be asked: the store refused");
}

struct round {
    const struct supervise *supervise;
    struct counters_ask *asks;
    size_t count;
};

/* Reads what is there by now; true when nobody is waited for any more. */
static bool is_answered(void *context)
{
    static char text[ANSWER_TEXT_MAX + 1];
    struct round *round = context;
    bool all = true;

    for (size_t i = 0; i < round->count; i++) {
        struct counters_ask *ask = &round->asks[i];
        int rc;

        if (!ask->waiting)
            continue;
        rc = store_read(round->supervise->store, STORE_TX_NONE, text, sizeof(text), "%s/counters",
                        ask->path);
        if (rc >= 0)
            rc = answer_read(&ask->answer, text);
        if (rc == -EINVAL || rc == -E2BIG)
            give_up(ask, "gave an answer that makes no sense");
        else if (rc == 1)
            ask->waiting = false;
        else if (!backend_is_live(round->supervise, ask->entry, ask->index))
            give_up(ask, "is gone");
        all = all && !ask->waiting;
    }
    return all;
}

void counters_ask(struct cli *cli, struct counters_ask *asks, size_t count)
{
    struct round round = {cli->supervise, asks, count};

    for (size_t i = 0; i < count; i++)
        begin(cli->supervise, &asks[i]);
    (void)cli_wait(cli, is_answered, &round, COUNTERS_TIME);
    for (size_t i = 0; i < count; i++)
        if (asks[i].waiting)
            give_up(&asks[i], "does not answer");
}

const char *counters_stats_name(enum config_class class, const char *name)
{
    static const struct {
        enum config_class class;
        const char *ours;
        const char *virsh;
    } names[] = {
        {CONFIG_INTERFACE, "rx_bytes", "rx.bytes"},  {CONFIG_INTERFACE, "rx_packets", "rx.pkts"},
        {CONFIG_INTERFACE, "rx_drop", "rx.drop"},    {CONFIG_INTERFACE, "tx_bytes", "tx.bytes"},
        {CONFIG_INTERFACE, "tx_packets", "tx.pkts"}, {CONFIG_INTERFACE, "tx_drop", "tx.drop"},
        {CONFIG_DISK, "rd_req", "rd.reqs"},          {CONFIG_DISK, "rd_bytes", "rd.bytes"},
        {CONFIG_DISK, "wr_req", "wr.reqs"},          {CONFIG_DISK, "wr_bytes", "wr.bytes"},
        {CONFIG_DISK, "flush_req", "fl.reqs"},
    };

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (names[i].class == class && strcmp(names[i].ours, name) == 0)
            return names[i].virsh;
    return name;
}

const char *counters_device_name(const struct entry *e, size_t index, char text[DEVICE_NAME_MAX])
{
    const struct config_served *served = config_served(e->config, index);
    const char *given = served->class == CONFIG_DISK ? config_disk_of(served)->target
                                                     : config_interface_of(served)->target;

    if (given)
        (void)snprintf(text, DEVICE_NAME_MAX, "%s", given);
    else if (e->domid == DOMID_INVALID)
        (void)snprintf(text, DEVICE_NAME_MAX, "-");
    else
        (void)snprintf(text, DEVICE_NAME_MAX, "vif%u.%u", e->domid, served->number);
    return text;
}
