/* What the store tells of devices, and what is told back. */
#include "bus_back.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <rt/log.h>

#include "back.h"
#include "bus.h"

#define TOKEN_FRONT "front"
#define COUNT(a)    (sizeof(a) / sizeof((a)[0]))

struct bus_device *bus_back_at(const struct bus_back *b, uint32_t index)
{
    return (struct bus_device *)(void *)((uint8_t *)b->devices + index * b->kind->size);
}

void bus_back_log(const struct bus_back *b, const struct bus_device *d, const char *format, ...)
{
    char line[BUS_WHY_LEN + 64];
    va_list args;

    va_start(args, format);
    (void)vsnprintf(line, sizeof(line), format, args);
    va_end(args);
    log_line("%s %u of domain %u: %s", b->kind->name, d->number, d->guest, line);
}

bool bus_number(const struct store_want *want, uint32_t absent, uint32_t *number)
{
    char *end;

    *number = absent;
    if (want->result == -XEN_ENOENT)
        return true;
    if (want->result < 0 || want->value[0] < '0' || want->value[0] > '9')
        return false;

    unsigned long value = strtoul(want->value, &end, 10);

    *number = (uint32_t)value;
    return *end == '\0' && value <= UINT32_MAX;
}

/* ---- coming and going ------------------------------------------------------------------------ */

static struct bus_device *device_find(const struct bus_back *b, domid_t guest, uint32_t number)
{
    for (uint32_t i = 0; i < b->limit; i++) {
        struct bus_device *d = bus_back_at(b, i);

        if (d->used && d->guest == guest && d->number == number)
            return d;
    }
    return NULL;
}

static void front_unwatch(struct bus_back *b, const struct bus_device *d)
{
    (void)!store_unwatch(b->store, TOKEN_FRONT, "%s/state", d->front);
    for (uint32_t i = 0; i < b->kind->watched_count; i++)
        (void)!store_unwatch(b->store, TOKEN_FRONT, "%s/%s", d->front, b->kind->watched[i]);
}

/* Their first events come at once, so nothing of the front end is missed. */
void bus_front_watch(struct bus_back *b, const struct bus_device *d)
{
    int rc = store_watch(b->store, TOKEN_FRONT, "%s/state", d->front);

    for (uint32_t i = 0; rc >= 0 && i < b->kind->watched_count; i++)
        rc = store_watch(b->store, TOKEN_FRONT, "%s/%s", d->front, b->kind->watched[i]);
    if (rc < 0)
        bus_back_log(b, d, "its front end cannot be watched");
}

static void device_free(struct bus_back *b, struct bus_device *d)
{
    if (d->front[0] && d->checked == BUS_GOOD)
        front_unwatch(b, d);
    b->kind->unmake(b, d);
    memset(d, 0, b->kind->size);
}

static bool device_make(struct bus_back *b, domid_t guest, uint32_t number)
{
    uint32_t i = 0;

    while (i < b->kind->max && bus_back_at(b, i)->used)
        i++;
    if (i == b->kind->max)
        return false;
    if (i >= b->limit)
        b->limit = i + 1;

    struct bus_device *d = bus_back_at(b, i);

    memset(d, 0, b->kind->size);
    *d = (struct bus_device){.used = true, .guest = guest, .number = number, .changed = true};
    if (b->kind->make(b, d) == 0)
        return true;
    device_free(b, d);
    return false;
}

struct bus_device *bus_device_found(struct bus_back *b, domid_t guest, uint32_t number)
{
    struct bus_device *d = device_find(b, guest, number);

    if (d)
        d->changed = true;
    else if (!device_make(b, guest, number))
        log_line("%s %u of domain %u: no memory for another device", b->kind->name, number, guest);
    return d;
}

static void devices_changed(struct bus_back *b, unsigned guest, bool all)
{
    for (uint32_t i = 0; i < b->limit; i++) {
        struct bus_device *d = bus_back_at(b, i);

        if (d->used && (all || d->guest == guest))
            d->changed = d->asked = true;
    }
}

/* Events were dropped: every device may have changed, come or gone. */
static void devices_scan(struct bus_back *b)
{
    static char guests[STORE_PAYLOAD_MAX], numbers[STORE_PAYLOAD_MAX];
    const char *guest = guests;
    int count =
        store_list(b->store, STORE_TX_NONE, guests, sizeof(guests), "backend/%s", b->kind->name);

    b->scan = false;
    devices_changed(b, 0, true);
    for (; count > 0; count--, guest = store_next_name(guest)) {
        const char *name = numbers;
        int left = store_list(b->store, STORE_TX_NONE, numbers, sizeof(numbers), "backend/%s/%s",
                              b->kind->name, guest);

        for (; left > 0; left--, name = store_next_name(name)) {
            unsigned domid, number;

            if (sscanf(guest, "%u", &domid) == 1 && domid < DOMID_FIRST_RESERVED &&
                sscanf(name, "%u", &number) == 1)
                (void)bus_device_found(b, (domid_t)domid, number);
        }
    }
}

/* What follows "backend/KIND", or a front end's "/local/domain/N/device/KIND"; NULL: neither. */
static const char *path_rest(const struct bus_back *b, const char *path, unsigned *guest)
{
    size_t len = strlen(b->kind->name);
    int used = 0;

    if (strncmp(path, "backend/", 8) == 0)
        path += 8;
    else if (sscanf(path, "/local/domain/%u/device/%n", guest, &used) == 1 && used > 0)
        path += used;
    else
        return NULL;
    return strncmp(path, b->kind->name, len) == 0 ? path + len : NULL;
}

/*
 * Something changed at or below a device's directory, or that of its front end;
 * or a directory above: a guest's whole one is removed, events were dropped.
 */
void bus_back_event(struct bus_back *b, const struct store_event *event)
{
    unsigned guest = 0, number;
    const char *rest = path_rest(b, event->path, &guest);
    bool front = event->path[0] == '/';
    int used = 0;

    if (!rest)
        return;
    if (!front && *rest == '\0') {
        b->scan = true;
        return;
    }
    if (!front && sscanf(rest, "/%u%n", &guest, &used) == 1) {
        rest += used;
        if (*rest == '\0')
            devices_changed(b, guest, false);
    }
    if (guest >= DOMID_FIRST_RESERVED || sscanf(rest, "/%u%n", &number, &used) != 1)
        return;
    rest += used;
    if (*rest != '\0' && *rest != '/')
        return;
    /* Our own answer is no news. */
    if (strcmp(rest, "/counters") == 0)
        return;

    struct bus_device *d = device_find(b, (domid_t)guest, number);

    if (!front || d)
        d = bus_device_found(b, (domid_t)guest, number);
    if (d && !front && strcmp(rest, "/counters-ask") == 0)
        d->asked = true;
}

/* ---- steps ----------------------------------------------------------------------------------- */

void bus_state_write(struct bus_back *b, struct bus_device *d, unsigned state)
{
    d->own = state;
    if (store_write_number(b->store, STORE_TX_NONE, state, BUS_BACK_PATH "/state", b->kind->name,
                           d->guest, d->number) < 0)
        bus_back_log(b, d, "its state cannot be written");
}

static bool is_draining(const struct bus_back *b, const struct bus_device *d)
{
    return d->used && d->closing && !b->kind->is_drained(d);
}

/* Disconnects once nobody is at the front end's pages any more. True: it is disconnected. */
static bool let_go(struct bus_back *b, struct bus_device *d)
{
    d->closing = true;
    if (!b->kind->close(b, d))
        return false;
    b->kind->disconnect(b, d);
    return true;
}

void bus_back_give_up(struct bus_back *b, struct bus_device *d, const char *why)
{
    if (!d->complained)
        bus_back_log(b, d, "closed, its front end %s", why);
    d->complained = true;
    if (let_go(b, d))
        bus_state_write(b, d, XenbusStateClosing);
}

/* With a reason for whoever wrote the XML, if it cannot be served. */
static void check(struct bus_back *b, struct bus_device *d, bool has_front)
{
    char why[BUS_WHY_LEN];
    const struct store_pair bad[] = {{"hotplug-error", why}, {"hotplug-status", "error"}};
    const struct store_pair good[] = {{"hotplug-status", "connected"}};
    int rc = -XEN_ENOENT;

    if (!has_front) {
        (void)snprintf(why, sizeof(why), "its node frontend cannot be read");
    } else {
        rc = b->kind->check(b, d, why, sizeof(why));
    }
    d->changed = rc == -XEN_EAGAIN;
    if (d->changed)
        return;
    d->checked = rc == 0 ? BUS_GOOD : BUS_BAD;
    if (rc != 0)
        bus_back_log(b, d, "%s", why);
    /* Who adopts writes no node again: a guest takes each write for news. */
    if (d->inherited && rc == 0)
        return;
    if (store_write_all(b->store, STORE_TX_NONE, rc == 0 ? good : bad,
                        rc == 0 ? COUNT(good) : COUNT(bad), BUS_BACK_PATH, b->kind->name, d->guest,
                        d->number) < 0)
        bus_back_log(b, d, "its hotplug-status cannot be written");
    if (rc == 0)
        bus_front_watch(b, d);
}

void bus_connect(struct bus_back *b, struct bus_device *d, bool adopt)
{
    const char *why = NULL;

    if (b->kind->connect(b, d, adopt, &why) < 0) {
        bus_back_log(b, d, "closed, its front end %s", why);
        bus_state_write(b, d, XenbusStateClosing);
        return;
    }
    d->closing = d->complained = false;
    if (!adopt)
        bus_state_write(b, d, XenbusStateConnected);
}

static void step(struct bus_back *b, struct bus_device *d, unsigned front, bool online)
{
    switch (bus_next(d->own, front, online)) {
    case BUS_STEP_OFFER:
        if (b->kind->offer(b, d) < 0)
            bus_back_log(b, d, "its features cannot be written");
        else
            bus_state_write(b, d, XenbusStateInitWait);
        break;
    case BUS_STEP_CONNECT: bus_connect(b, d, false); break;
    case BUS_STEP_RECONFIGURE: bus_state_write(b, d, XenbusStateReconfigured); break;
    case BUS_STEP_RESUME: bus_state_write(b, d, XenbusStateConnected); break;
    case BUS_STEP_CLOSING: bus_state_write(b, d, XenbusStateClosing); break;
    case BUS_STEP_CLOSE:
        if (let_go(b, d))
            bus_state_write(b, d, XenbusStateClosed);
        else
            d->changed = true; /* again when something has finished */
        break;
    case BUS_STEP_NONE: break;
    }
}

static void counters_answer(struct bus_back *b, struct bus_device *d)
{
    char asked[24], text[BUS_COUNTERS_LEN];
    struct store_want want = {.path = "counters-ask", .value = asked, .size = sizeof(asked)};
    struct store_pair pair = {"counters", text};

    d->asked = false;
    if (store_read_all(b->store, STORE_TX_NONE, &want, 1, BUS_BACK_PATH, b->kind->name, d->guest,
                       d->number) < 0 ||
        want.result < 0)
        return;

    int len = snprintf(text, sizeof(text), "%s ", asked);

    b->kind->count(d, text + len, sizeof(text) - (size_t)len);
    if (store_write_all(b->store, STORE_TX_NONE, &pair, 1, BUS_BACK_PATH, b->kind->name, d->guest,
                        d->number) < 0)
        bus_back_log(b, d, "its counters cannot be written");
}

static unsigned state_of(const struct store_want *want)
{
    unsigned state = 0;

    return want->result >= 0 && sscanf(want->value, "%u", &state) == 1 ? state : XenbusStateUnknown;
}

/*
 * It went, and one of the same guest and number came, before anybody looked: a
 * domain that was made anew under its id. Nobody but the toolstack writes this state.
 */
static bool is_another(const struct bus_device *d, unsigned state)
{
    return d->checked == BUS_GOOD && state == XenbusStateInitialising &&
           d->own != XenbusStateInitialising;
}

/* The device goes when nobody is at its front end's pages any more. */
static void drop(struct bus_back *b, struct bus_device *d, bool another)
{
    domid_t guest = d->guest;
    uint32_t number = d->number;

    d->changed = true;
    if (!let_go(b, d))
        return;
    device_free(b, d);
    if (another)
        (void)bus_device_found(b, guest, number);
}

/* Reads where a device and its front end stand, and does the next step. */
static void update(struct bus_back *b, struct bus_device *d)
{
    char own[12], online[12], front[12];
    struct store_want wants[] = {
        {.path = "state", .value = own, .size = sizeof(own)},
        {.path = "online", .value = online, .size = sizeof(online)},
        {.path = "frontend", .value = d->front, .size = sizeof(d->front)},
    };
    size_t count = COUNT(wants) - (d->checked == BUS_NEW ? 0 : 1);
    struct store_want theirs = {.path = "state", .value = front, .size = sizeof(front)};

    d->changed = false;
    if (store_read_all(b->store, STORE_TX_NONE, wants, count, BUS_BACK_PATH, b->kind->name,
                       d->guest, d->number) < 0)
        return;
    if (wants[0].result == -XEN_ENOENT || is_another(d, state_of(&wants[0]))) {
        drop(b, d, wants[0].result != -XEN_ENOENT);
        return;
    }
    d->own = state_of(&wants[0]);
    if (d->checked == BUS_NEW) {
        d->inherited = bus_is_connected(d->own);
        check(b, d, wants[2].result >= 0);
    }
    if (d->checked == BUS_NEW)
        return;

    bool is_online = wants[1].result >= 0 && online[0] == '1';

    if (d->checked == BUS_BAD) {
        if (d->inherited)
            bus_inherit(b, d, XenbusStateUnknown);
        if (d->own == XenbusStateClosing && !is_online)
            bus_state_write(b, d, XenbusStateClosed);
        return;
    }
    if (d->asked)
        counters_answer(b, d);
    if (store_read_all(b->store, STORE_TX_NONE, &theirs, 1, "%s", d->front) < 0)
        return;
    if (d->inherited)
        bus_inherit(b, d, state_of(&theirs));
    if (d->untold)
        return;
    step(b, d, state_of(&theirs), is_online);
    if (b->kind->look && !d->closing && bus_is_connected(d->own))
        b->kind->look(b, d);
}

/* What was there first, so that what is going has let go before others want what it had. */
void bus_back_settle(struct bus_back *b)
{
    if (b->scan)
        devices_scan(b);
    for (int fresh = 0; fresh <= 1; fresh++) {
        for (uint32_t i = 0; i < b->limit; i++) {
            struct bus_device *d = bus_back_at(b, i);

            if (!d->used || !d->changed || (d->checked == BUS_NEW) != fresh)
                continue;
            if (!is_draining(b, d) && (!d->behind || !is_draining(b, d->behind)))
                update(b, d);
        }
    }
}
