/*
 * What a last life served is served first. Its guests wait, so nothing else is asked
 * or told before: no state is written, nothing is watched.
 */
#include "back.h"

/* It has told its rings: Linux's block one stays Initialised until it has read Connected. */
static bool has_rings(unsigned front)
{
    return front == XenbusStateInitialised || front == XenbusStateReconfiguring ||
           bus_is_connected(front);
}

static void tell(struct bus_back *b, struct bus_device *d)
{
    d->untold = false;
    d->changed = true;
    if (b->kind->announced && bus_is_connected(d->own))
        bus_state_write(b, d, XenbusStateConnected);
    bus_front_watch(b, d);
}

/* What cannot be served any more is closed, or its guest would wait on. */
void bus_inherit(struct bus_back *b, struct bus_device *d, unsigned front)
{
    d->inherited = false;
    if (d->checked == BUS_BAD) {
        bus_state_write(b, d, XenbusStateClosing);
        return;
    }
    d->untold = has_rings(front);
    if (d->untold)
        bus_connect(b, d, true);
    else
        bus_front_watch(b, d);
    if (d->untold && b->watches)
        tell(b, d);
}

void bus_back_open(struct bus_back *b, const struct bus_kind *kind, void *devices,
                   const struct bus_keep *keep, struct store_client *store)
{
    domid_t guest;
    uint32_t number;

    *b = (struct bus_back){.kind = kind, .store = store, .devices = devices};
    for (uint32_t i = 0; i < keep->count; i++)
        if (bus_keep_owner(keep, i, &guest, &number))
            (void)bus_device_found(b, guest, number);
    bus_back_settle(b);
}

int bus_back_watch(struct bus_back *b)
{
    b->watches = true;
    for (uint32_t i = 0; i < b->limit; i++) {
        struct bus_device *d = bus_back_at(b, i);

        if (d->used && d->untold)
            tell(b, d);
    }
    return store_watch(b->store, b->kind->name, "backend/%s", b->kind->name);
}

bool bus_back_has_adopted(const struct bus_back *b)
{
    for (uint32_t i = 0; i < b->limit; i++) {
        const struct bus_device *d = bus_back_at(b, i);

        if (d->used && (!d->untold || !bus_is_connected(d->own)))
            return false;
    }
    return b->limit > 0;
}
