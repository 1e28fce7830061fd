/* The client's transport: requests out, answers and watch events in. */
#include "client.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <abi/addr.h>
#include <abi/hvm.h>
#include <hcall.h>
#include <rt/event.h>
#include <shm.h>
#include <store_alloc.h>

static void notify(const struct store_client *c)
{
    event_notify(c->port);
}

void store_open(struct store_client *c, struct xenstore_domain_interface *page, evtchn_port_t port)
{
    memset(c, 0, sizeof(*c));
    c->page = page;
    c->port = port;
    ring_writer_init(&c->out, page->req, XENSTORE_RING_SIZE, &page->req_prod, &page->req_cons);
    ring_reader_init(&c->in, page->rsp, XENSTORE_RING_SIZE, &page->rsp_prod, &page->rsp_cons);
    event_open(port);
}

int store_reopen(struct store_client *c, struct xenstore_domain_interface *page, evtchn_port_t port,
                 const struct store_sleep *sleep)
{
    store_open(c, page, port);
    c->sleep = sleep;
    shm_write32(&page->connection, XENSTORE_RECONNECT);
    notify(c);
    while (shm_read32(&page->connection) != XENSTORE_CONNECTED)
        if (!client_sleep(c, EVENT_FOREVER))
            return client_break(c, -XEN_EIO);
    store_open(c, page, port);
    c->sleep = sleep;
    return 0;
}

int store_open_own(struct store_client *c)
{
    struct xen_hvm_param page = {.domid = DOMID_SELF, .index = HVM_PARAM_STORE_PFN};
    struct xen_hvm_param port = {.domid = DOMID_SELF, .index = HVM_PARAM_STORE_EVTCHN};
    int error = hcall_hvm_get_param(&page);

    if (error == 0)
        error = hcall_hvm_get_param(&port);
    if (error != 0)
        return error;
    if (page.value == 0 || port.value == 0 || port.value >= EVENT_PORTS)
        return -XEN_ENODEV;
    /* Memory of a domain is mapped at its guest-physical address. */
    void *ring =
        (void *)(uintptr_t)(page.value << PAGE_SHIFT); /* NOLINT(performance-no-int-to-ptr) */

    store_open(c, ring, (evtchn_port_t)port.value);
    return 0;
}

void store_close(struct store_client *c)
{
    while (store_event(c))
        ;
    free(c->given);
    c->given = NULL;
    event_shut(c->port);
    (void)client_break(c, -XEN_EIO);
}

int client_break(struct store_client *c, int error)
{
    if (c->broken == 0)
        c->broken = error;
    return c->broken;
}

int client_path(char path[STORE_PATH_MAX + 1], const char *format, va_list args)
{
    int len = vsnprintf(path, STORE_PATH_MAX + 1, format, args);

    return len < 0 || len > STORE_PATH_MAX ? -XEN_EINVAL : len + 1;
}

bool client_sleep(struct store_client *c, uint64_t deadline)
{
    if (ring_reader_notify(&c->in))
        notify(c);
    if (c->sleep)
        return c->sleep->until(c->port, deadline);
    return event_wait_port(c->port, deadline) != EVENT_NONE;
}

/* ---- in -------------------------------------------------------------------------------------- */

/* Queues the event in c->message. */
static int event_queue(struct store_client *c)
{
    struct store_words words = {c->message.payload, c->message.header.len};
    const char *path = store_word(&words);
    const char *token = store_word(&words);

    if (!path || !token)
        return client_break(c, -XEN_EIO);
    for (const struct store_event *e = c->first; e; e = e->next)
        if (strcmp(e->path, path) == 0 && strcmp(e->token, token) == 0)
            return 0;

    size_t path_len = strlen(path) + 1;
    size_t len = path_len + strlen(token) + 1;
    struct store_event *event =
        c->queued < STORE_EVENTS_MAX ? store_alloc(sizeof(*event) + len) : NULL;

    if (!event) {
        c->overrun = true;
        return 0;
    }
    memcpy(event->path, path, len);
    event->token = event->path + path_len;
    event->next = NULL;
    if (c->last)
        c->last->next = event;
    else
        c->first = event;
    c->last = event;
    c->queued++;
    return 0;
}

/* Takes bytes up to the end of one message: 1 if it is whole, 0 if the ring is empty. */
static int receive(struct store_client *c)
{
    for (;;) {
        uint32_t end = sizeof(struct xsd_sockmsg);

        if (c->got >= end)
            end += c->message.header.len;

        int taken = ring_reader_take(&c->in, (char *)&c->message + c->got, end - c->got);

        if (taken < 0)
            return client_break(c, taken);
        c->got += (uint32_t)taken;
        if (c->got == sizeof(struct xsd_sockmsg) && c->message.header.len > STORE_PAYLOAD_MAX)
            return client_break(c, -XEN_EIO);
        if (c->got < end)
            return 0;
        if (c->got == sizeof(struct xsd_sockmsg) + c->message.header.len) {
            c->message.payload[c->message.header.len] = 0;
            c->got = 0;
            return 1;
        }
    }
}

/* One message; events are queued and passed over. 1: an answer, 0: the ring is empty. */
static int receive_answer(struct store_client *c)
{
    for (;;) {
        int got = c->broken ? c->broken : receive(c);

        if (got <= 0) {
            if (got == 0 && shm_read32(&c->page->error) != XENSTORE_ERROR_NONE)
                return client_break(c, -XEN_EIO);
            return got;
        }
        if (c->message.header.type != XS_WATCH_EVENT)
            return 1;

        int error = event_queue(c);

        if (error != 0)
            return error;
    }
}

/* Nothing but events can come while no request is under way. */
int client_poll(struct store_client *c)
{
    int got = receive_answer(c);

    if (ring_reader_notify(&c->in))
        notify(c);
    return got > 0 ? client_break(c, -XEN_EIO) : got;
}

int client_answer(struct store_client *c, enum xsd_sockmsg_type type, uint32_t id)
{
    for (;;) {
        int got = receive_answer(c);

        if (got < 0)
            return got;
        if (got > 0)
            break;
        if (!client_sleep(c, EVENT_FOREVER))
            return client_break(c, -XEN_EIO);
    }

    const struct xsd_sockmsg *header = &c->message.header;

    if (header->req_id != id || (header->type != type && header->type != XS_ERROR))
        return client_break(c, -XEN_EIO);
    if (header->type == XS_ERROR)
        return store_error_number(c->message.payload, strlen(c->message.payload));
    return (int)header->len;
}

/* ---- out ------------------------------------------------------------------------------------- */

/* Puts all bytes, sleeping for room; events are taken meanwhile, or both sides could wait. */
static int put(struct store_client *c, const void *data, size_t len)
{
    const uint8_t *from = data;

    while (len > 0) {
        int done = ring_writer_put(&c->out, from, len);

        if (done < 0)
            return client_break(c, done);
        from += done;
        len -= (size_t)done;
        if (len == 0 || done > 0)
            continue;
        notify(c);

        int error = client_poll(c);

        if (error != 0)
            return error;
        if (ring_writer_room(&c->out) == 0 && !client_sleep(c, EVENT_FOREVER))
            return client_break(c, -XEN_EIO);
    }
    return 0;
}

static int message_len(const struct client_part *parts, size_t count)
{
    size_t len = 0;

    for (size_t i = 0; i < count; i++) {
        if (parts[i].len > STORE_PAYLOAD_MAX - len)
            return -XEN_E2BIG;
        len += parts[i].len;
    }
    return (int)len;
}

static int send_parts(struct store_client *c, struct xsd_sockmsg header,
                      const struct client_part *parts, size_t count)
{
    int error = put(c, &header, sizeof(header));

    for (size_t i = 0; i < count && error == 0; i++)
        error = put(c, parts[i].data, parts[i].len);
    if (error == 0)
        notify(c);
    return error;
}

int client_try_send(struct store_client *c, enum xsd_sockmsg_type type, uint32_t tx,
                    const struct client_part *parts, size_t count)
{
    int len = message_len(parts, count);
    int room = ring_writer_room(&c->out);

    if (c->broken)
        return c->broken;
    if (len < 0)
        return len;
    if (room < 0)
        return client_break(c, room);
    if (room < len + (int)sizeof(struct xsd_sockmsg))
        return 0;

    struct xsd_sockmsg header = {type, ++c->last_id, tx, (uint32_t)len};
    int error = send_parts(c, header, parts, count);

    return error ? error : 1;
}

int client_request(struct store_client *c, enum xsd_sockmsg_type type, uint32_t tx,
                   const struct client_part *parts, size_t count)
{
    int len = message_len(parts, count);

    if (c->broken)
        return c->broken;
    if (len < 0)
        return len;

    struct xsd_sockmsg header = {type, ++c->last_id, tx, (uint32_t)len};
    int error = send_parts(c, header, parts, count);

    return error ? error : client_answer(c, type, header.req_id);
}

int client_command(struct store_client *c, enum xsd_sockmsg_type type, uint32_t tx,
                   const struct client_part *parts, size_t count)
{
    int len = client_request(c, type, tx, parts, count);

    if (len < 0)
        return len;
    return len == 3 && memcmp(c->message.payload, "OK", 3) == 0 ? 0 : client_break(c, -XEN_EIO);
}
