/*
 * Fails on purpose, if the control domain says so by an event. For the domains that
 * cannot be told by the store: one of them is the store.
 */
#include <rt/event.h>
#include <rt/memory.h>

#include "internal.h"

static void crash(void)
{
    __asm__ volatile("ud2");
}

static void hang(void)
{
    for (;;)
        __asm__ volatile("pause");
}

/* What follows is the program's own affair: whoever needs memory next finds none. */
static void leak(void)
{
    while (memory_pages_alloc(1))
        ;
}

static const struct {
    const char *name;
    void (*act)(void);
} orders[LIFE_ORDERS] = {
    [LIFE_CRASH] = {"crash", crash},
    [LIFE_HANG] = {"hang", hang},
    [LIFE_LEAK] = {"leak", leak},
};

/* Where they arrive: what the page says later is not asked. EVENT_NONE: nowhere. */
static evtchn_port_t ports[LIFE_ORDERS];

void obey_init(void)
{
    for (unsigned i = 0; i < LIFE_ORDERS; i++) {
        ports[i] = life_order_port(i);
        if (ports[i] != EVENT_NONE)
            event_open(ports[i]);
    }
}

uint32_t obey_port(enum life_order order)
{
    return ports[order];
}

bool obey(uint32_t port)
{
    for (unsigned i = 0; i < LIFE_ORDERS; i++) {
        if (ports[i] == EVENT_NONE || ports[i] != port)
            continue;
        console_text("fault injection: ");
        console_text(orders[i].name);
        console_text("\n");
        life_obeyed();
        orders[i].act();
        return true;
    }
    return false;
}
