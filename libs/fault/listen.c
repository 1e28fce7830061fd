/* Orders from the store: taken away before they are carried out, lest the next life find them. */
#include "fault.h"

#include <string.h>

#include <rt/log.h>
#include <rt/start.h>

static const char token[] = "inject";

int fault_open(struct fault *f, struct store_client *store, const struct fault_parts *parts,
               int argc, char **argv)
{
    *f = (struct fault){.parts = *parts, .argc = argc, .argv = argv};
    if (!start_has_word(argc, argv, FAULT_WORD))
        return 0;
    log_line("fault injection is allowed: this domain fails when it is told to");
    f->store = store;
    return store_watch(store, token, "%s", FAULT_NODE);
}

bool fault_event(struct fault *f, const struct store_event *event)
{
    if (!f->store || strcmp(event->token, token) != 0)
        return false;
    f->due = true;
    return true;
}

void fault_settle(struct fault *f)
{
    char text[FAULT_ORDER_LEN];
    struct fault_order order;

    if (!f->due)
        return;
    f->due = false;
    if (store_read(f->store, STORE_TX_NONE, text, sizeof(text), "%s", FAULT_NODE) < 0)
        return;
    if (store_remove(f->store, STORE_TX_NONE, "%s", FAULT_NODE) < 0) {
        log_line("fault injection: the order cannot be taken away, so it is not carried out");
        return;
    }
    if (!fault_order_read(&order, text)) {
        log_line("fault injection: this is no order");
        return;
    }
    log_line("fault injection: %s", text);
    fault_act(f, &order);
}
