/*
 * A driver domain goes on with another image: its next life is begun from that, as
 * after a death. One that does not come up, or dies before it has, gives way to the
 * image that was there before.
 */
#include "supervise.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <abi/store.h>
#include <build/elf.h>
#include <build/mapped.h>
#include <rt/clock.h>

#include "record.h"

#define SECOND 1000000000ull

/* So long a new image may take until its backends are up. */
#define TRIAL_TIME (10 * SECOND)

/*
 * What a front end may use of a back end, and its own node that says how much it
 * does; without one, all that was offered counts as used.
 */
static const struct feature {
    enum config_class class;
    const char *offered;
    const char *used;
} features[] = {
    {CONFIG_DISK, "feature-persistent", "feature-persistent"},
    {CONFIG_DISK, "feature-max-indirect-segments", NULL},
    {CONFIG_DISK, "multi-queue-max-queues", "multi-queue-num-queues"},
    {CONFIG_DISK, "max-ring-page-order", "ring-page-order"},
    {CONFIG_INTERFACE, "feature-rx-copy", "request-rx-copy"},
    {CONFIG_INTERFACE, "feature-sg", NULL},
    {CONFIG_INTERFACE, "feature-gso-tcpv4", NULL},
    {CONFIG_INTERFACE, "feature-gso-tcpv6", NULL},
    {CONFIG_INTERFACE, "feature-ipv6-csum-offload", NULL},
    {CONFIG_INTERFACE, "feature-split-event-channels", NULL},
    {CONFIG_INTERFACE, "feature-multicast-control", "request-multicast-control"},
    {CONFIG_INTERFACE, "feature-xdp-headroom", "xdp-headroom"},
    {CONFIG_INTERFACE, "multi-queue-max-queues", "multi-queue-num-queues"},
};

static const char *const kinds[] = {[CONFIG_DISK] = "vbd", [CONFIG_INTERFACE] = "vif"};

static bool refuse(const struct entry *e, const char *image, const char *why)
{
    supervise_say("%s: not upgraded: %s %s", e->config->name, image, why);
    return false;
}

/* ---- what an image offers -------------------------------------------------------------------- */

/* The number in the line "KIND FEATURE=NUMBER" of an image's offer; 0: there is none. */
static uint64_t offered(const char *offer, const char *kind, const char *feature)
{
    size_t kind_len = strlen(kind), len = strlen(feature);

    for (const char *line = offer; line; line = strchr(line, '\n')) {
        line += *line == '\n';
        if (strncmp(line, kind, kind_len) == 0 && line[kind_len] == ' ' &&
            strncmp(line + kind_len + 1, feature, len) == 0 && line[kind_len + 1 + len] == '=')
            return strtoull(line + kind_len + 1 + len + 1, NULL, 10);
    }
    return 0;
}

/* NUL-terminated, to be freed. NULL after saying why there is none. */
static char *offer_read(const struct supervise *s, const struct entry *e, const char *image)
{
    struct mapped file;
    struct elf_image elf;
    const char *why = "is not in the bundle";
    char *offer = NULL;

    if (mapped_open(s->root, image, &file) == 0) {
        if (elf_read(file.bytes, file.len, &elf, &why) == 0) {
            why = "is no driver domain's: it does not say what it offers";
            if (elf.offer_len > 0)
                offer = strndup((const char *)file.bytes + elf.offer, elf.offer_len);
        }
        mapped_close(&file);
    }
    if (!offer)
        (void)refuse(e, image, why);
    return offer;
}

/* ---- what front ends use --------------------------------------------------------------------- */

static uint64_t node_number(struct supervise *s, const char *directory, const char *node)
{
    uint64_t value = 0;

    return store_read_number(s->store, STORE_TX_NONE, &value, "%s/%s", directory, node) < 0 ? 0
                                                                                            : value;
}

/* Whether one served device could go on with what is offered. */
static bool device_goes_on(struct supervise *s, const struct entry *e, const struct entry *user,
                           size_t index, const char *image, const char *offer)
{
    const struct config_served *served = config_served(user->config, index);
    const char *kind = kinds[served->class];
    char back[NODES_PATH_MAX], front[NODES_PATH_MAX], why[240], label[CONFIG_LABEL_MAX];

    entry_backend_path(user, index, back);
    if (node_number(s, back, "state") != XenbusStateConnected)
        return true;
    (void)snprintf(front, sizeof(front), "/local/domain/%u/device/%s/%u", user->domid, kind,
                   served->number);
    for (size_t i = 0; i < sizeof(features) / sizeof(features[0]); i++) {
        const struct feature *f = &features[i];
        uint64_t used, has;

        if (f->class != served->class)
            continue;
        used = f->used ? node_number(s, front, f->used) : node_number(s, back, f->offered);
        has = offered(offer, kind, f->offered);
        if (has >= used)
            continue;
        (void)snprintf(why, sizeof(why), "has %s %llu, but %s uses %llu for its %s", f->offered,
                       (unsigned long long)has, user->config->name, (unsigned long long)used,
                       config_served_label(served, label));
        return refuse(e, image, why);
    }
    return true;
}

static bool all_go_on(struct supervise *s, const struct entry *e, const char *image,
                      const char *offer)
{
    for (size_t i = 0; i < s->count; i++) {
        const struct entry *user = s->entries[i];

        if (user->phase != ENTRY_LIVE || !user->backends)
            continue;
        for (size_t n = 0; n < config_served_count(user->config); n++)
            if (user->backends[n] == e->domid && !device_goes_on(s, e, user, n, image, offer))
                return false;
    }
    return true;
}

/* ---- the change ------------------------------------------------------------------------------ */

const char *entry_image(const struct entry *e)
{
    return e->image ? e->image : e->config->kernel;
}

void upgrade_forget(struct entry *e)
{
    free(e->image);
    free(e->last_image);
    e->image = e->last_image = NULL;
    e->trial = 0;
}

void upgrade_try(struct entry *e)
{
    e->trial = clock_now() + TRIAL_TIME;
}

void upgrade_end(struct supervise *s, struct entry *e, const char *why)
{
    char *failed = e->image;

    e->trial = 0;
    if (!why) {
        free(e->last_image);
        e->last_image = NULL;
        record_image(s, e);
        supervise_say("%s: upgraded to %s", e->config->name, entry_image(e));
        return;
    }
    e->image = e->last_image;
    e->last_image = NULL;
    record_image(s, e);
    supervise_say("%s: the life of %s %s before it was up: back to %s", e->config->name, failed,
                  why, entry_image(e));
    free(failed);
    (void)renew_on_demand(s, e);
}

bool upgrade(struct supervise *s, struct entry *e, const char *image)
{
    char *offer, *copy;
    bool good;

    /* What there is to go back to must have been up once. */
    if (e->trial)
        return refuse(e, image, "has to wait: the last upgrade is not up yet");
    offer = offer_read(s, e, image);
    good = offer && all_go_on(s, e, image, offer);
    free(offer);
    if (!good)
        return false;
    copy = strdup(image);
    if (!copy)
        return refuse(e, image, "cannot be remembered: no memory");
    e->last_image = e->image;
    e->image = copy;
    upgrade_try(e);
    record_image(s, e);
    if (renew_on_demand(s, e))
        return true;
    upgrade_end(s, e, "could not begin");
    return false;
}
