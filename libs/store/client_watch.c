/* The client's watches, transactions, and what only the control domain asks. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <rt/event.h>

#include "client.h"

/* A transaction that collides this often is given up. */
#define RETRIES 64u

static int watch_command(struct store_client *c, enum xsd_sockmsg_type type, const char *path,
                         int len, const char *token)
{
    struct client_part parts[] = {{path, (size_t)len}, {token, strlen(token) + 1}};

    return len < 0 ? len : client_command(c, type, STORE_TX_NONE, parts, 2);
}

int store_watch(struct store_client *c, const char *token, const char *path, ...)
{
    CLIENT_PATH(node, len);
    return watch_command(c, XS_WATCH, node, len, token);
}

int store_unwatch(struct store_client *c, const char *token, const char *path, ...)
{
    CLIENT_PATH(node, len);
    return watch_command(c, XS_UNWATCH, node, len, token);
}

const struct store_event *store_event(struct store_client *c)
{
    free(c->given);
    c->given = NULL;
    /* Of a broken connection, what had come before is still given. */
    (void)client_poll(c);
    if (!c->first)
        return NULL;
    c->given = c->first;
    c->first = c->given->next;
    if (!c->first)
        c->last = NULL;
    c->queued--;
    return c->given;
}

const struct store_event *store_event_wait(struct store_client *c, uint64_t deadline)
{
    for (;;) {
        const struct store_event *event = store_event(c);

        if (event || c->broken || !client_sleep(c, deadline))
            return event;
    }
}

bool store_events_lost(struct store_client *c)
{
    bool lost = c->overrun;

    c->overrun = false;
    return lost;
}

/* ---- transactions ---------------------------------------------------------------------------- */

int store_begin(struct store_client *c, uint32_t *tx)
{
    uint64_t number;
    int got =
        client_request(c, XS_TRANSACTION_START, STORE_TX_NONE, &(struct client_part){"", 1}, 1);

    if (got < 0)
        return got;
    if (store_number(c->message.payload, UINT32_MAX, &number) != 0 || number == STORE_TX_NONE)
        return client_break(c, -XEN_EIO);
    *tx = (uint32_t)number;
    return 0;
}

int store_end(struct store_client *c, uint32_t tx, bool commit)
{
    return client_command(c, XS_TRANSACTION_END, tx, &(struct client_part){commit ? "T" : "F", 2},
                          1);
}

int store_transaction(struct store_client *c,
                      int (*body)(struct store_client *c, uint32_t tx, void *context),
                      void *context)
{
    for (unsigned i = 0; i < RETRIES; i++) {
        uint32_t tx = STORE_TX_NONE;
        int error = store_begin(c, &tx);

        if (error != 0)
            return error;
        error = body(c, tx, context);

        int ended = store_end(c, tx, error == 0);

        if (error != 0)
            return error;
        if (ended != -XEN_EAGAIN)
            return ended;
    }
    return -XEN_EAGAIN;
}

/* ---- the control domain ---------------------------------------------------------------------- */

int store_introduce(struct store_client *c, domid_t domid, uint64_t gfn, evtchn_port_t port,
                    bool serves)
{
    char text[64];
    int len = snprintf(text, sizeof(text), "%u%c%llu%c%u%c1", domid, 0, (unsigned long long)gfn, 0,
                       port, 0);

    /* The last word, "1", goes along for those that serve. */
    return client_command(c, XS_INTRODUCE, STORE_TX_NONE,
                          &(struct client_part){text, (size_t)(serves ? len + 1 : len - 1)}, 1);
}

int store_release(struct store_client *c, domid_t domid)
{
    char text[8];
    int len = snprintf(text, sizeof(text), "%u", domid);

    return client_command(c, XS_RELEASE, STORE_TX_NONE,
                          &(struct client_part){text, (size_t)len + 1}, 1);
}

int store_is_introduced(struct store_client *c, domid_t domid)
{
    char text[8];
    int len = snprintf(text, sizeof(text), "%u", domid);
    int got = client_request(c, XS_IS_DOMAIN_INTRODUCED, STORE_TX_NONE,
                             &(struct client_part){text, (size_t)len + 1}, 1);

    if (got < 0)
        return got;
    if (got != 2 || (c->message.payload[0] != 'T' && c->message.payload[0] != 'F'))
        return client_break(c, -XEN_EIO);
    return c->message.payload[0] == 'T';
}
