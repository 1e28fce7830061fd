/* What back ends counted for devices: asked for by one node, answered by another. */
#ifndef COUNTERS_H
#define COUNTERS_H

#include "answer.h"
#include "cli.h"

/* How long back ends may take to answer; so long a verb waits at most. */
#define COUNTERS_TIME (2ull * 1000000000)

/* One device of a running domain, and what is known of it. */
struct counters_ask {
    const struct entry *entry;
    size_t index;              /* of config_served */
    char path[NODES_PATH_MAX]; /* at the back end */
    bool waiting;
    char why[96]; /* there is no answer; "": there is */
    struct answer answer;
};

/* Asks for all at once and lets the host run until they are answered or had their time. */
void counters_ask(struct cli *cli, struct counters_ask *asks, size_t count);

/* virsh's name for one, behind "net.N." or "block.N." in domstats. */
const char *counters_stats_name(enum config_class class, const char *name);

/* "vif5.0" or what the file says, "xvda": how verbs call a device. */
#define DEVICE_NAME_MAX 24
const char *counters_device_name(const struct entry *e, size_t index, char text[DEVICE_NAME_MAX]);

#endif
