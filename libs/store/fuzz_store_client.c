/*
 * A client whose store answers anything: the input's bytes are what comes out of
 * the ring, in pieces, while it makes every kind of request.
 */
#include <stdlib.h>
#include <string.h>

#include <rt/event.h>
#include <rt/memory.h>

#include <hcall.h>

#include "fake_hv.h"
#include "store_client.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct store_end {
    struct xenstore_domain_interface *page;
    const uint8_t *data;
    size_t left;
    uint32_t id;
    evtchn_port_t port;
};

/*
 * While the client waits: one more answer. Its first byte says how it is made: a
 * header that fits the request, or raw bytes; and whether the index lies.
 */
static bool answer(void *context)
{
    struct store_end *e = context;
    struct xenstore_domain_interface *page = e->page;
    struct xsd_sockmsg header;
    uint8_t bytes[sizeof(header) + 64];
    size_t len = 0;

    if (e->left < 2)
        return false;

    uint8_t how = e->data[0];
    size_t count = e->data[1] % 64;

    e->data += 2;
    e->left -= 2;
    if (count > e->left)
        count = e->left;
    if (how & 1) {
        /* The request's own type and number stand in the ring. */
        uint32_t at = MASK_XENSTORE_IDX(page->req_cons);

        if (at + sizeof(header) <= XENSTORE_RING_SIZE)
            memcpy(&header, page->req + at, sizeof(header));
        else
            header = (struct xsd_sockmsg){XS_READ, e->id, 0, 0};
        if (how & 2)
            header.type = XS_WATCH_EVENT;
        if (how & 4)
            header.type = XS_ERROR;
        e->id++;
        header.req_id = e->id;
        header.len = (uint32_t)count;
        memcpy(bytes, &header, sizeof(header));
        len = sizeof(header);
        if (how & 2)
            e->id--;
        else
            page->req_cons = page->req_prod;
    }
    if (count)
        memcpy(bytes + len, e->data, count);
    e->data += count;
    e->left -= count;
    len += count;
    for (size_t i = 0; i < len; i++)
        page->rsp[MASK_XENSTORE_IDX(page->rsp_prod + i)] = (char)bytes[i];
    page->rsp_prod += (uint32_t)len;
    if (how == 0x80)
        page->rsp_prod += 2000;
    if (how == 0x90)
        page->req_cons += 5000;
    (void)fake_enter(7);
    (void)hcall_event_send(&(struct evtchn_send){e->port});
    return true;
}

static int body(struct store_client *c, uint32_t tx, void *context)
{
    uint64_t number;

    (void)context;
    return store_read_number(c, tx, &number, "n");
}

static void use(struct store_client *c)
{
    char text[256];
    char value[2][16];
    struct store_perm perms[4];
    struct store_pair pairs[] = {{"a", "1"}, {"b", "2"}};
    struct store_want wants[] = {{"a", value[0], 16, 0}, {"b", value[1], 16, 0}};
    int count = store_list(c, 0, text, sizeof(text), "d");
    const char *name = text;

    for (int i = 0; i < count; i++, name = store_next_name(name))
        if (strlen(name) >= sizeof(text))
            abort();
    if (store_read(c, 0, text, sizeof(text), "a") >= 0 && strlen(text) >= sizeof(text))
        abort();
    (void)!store_write_all(c, 0, pairs, 2, "base");
    (void)!store_read_all(c, 0, wants, 2, "base");
    count = store_get_perms(c, 0, perms, 4, "a");
    for (int i = 0; i < count; i++)
        if (!strchr("nrwb", perms[i].letter))
            abort();
    (void)!store_transaction(c, body, NULL);
    (void)!store_is_introduced(c, 3);
    for (unsigned i = 0; i < 8; i++) {
        const struct store_event *event = store_event_wait(c, 2000000000);

        if (event && strlen(event->path) + strlen(event->token) > STORE_PAYLOAD_MAX)
            abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct store_client c;
    struct store_end e = {.data = data, .left = size};

    fake_reset();
    fake_idle(answer, &e);
    (void)fake_enter(1);
    e.page = memory_pages_alloc(1);

    evtchn_port_t port = fake_port(1, 7);
    struct evtchn_bind_interdomain bind = {.remote_dom = 1, .remote_port = port};

    (void)fake_enter(7);
    (void)hcall_event_bind_interdomain(&bind);
    e.port = bind.local_port;
    (void)fake_enter(1);
    store_open(&c, e.page, port);
    use(&c);
    use(&c);
    store_close(&c);
    return 0;
}
