/*
 * What a last life left, as anybody may have made it: bytes as they come, or items
 * with sums that are right. Then the store serves, and must be none the worse.
 *
 *   r BYTES          the memory's first bytes, to the end of the input
 *   i KIND DOMID N   an item with N bytes (two, the lower first), which follow
 *   c                what was added counts: first the whole state, then frames
 */
#include <stdlib.h>
#include <string.h>

#include <hcall.h>
#include <rt/event.h>
#include <rt/memory.h>

#include "fake_hv.h"
#include "journal.h"
#include "moves.h"
#include "store_service.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static uint64_t area[(256u << 10) / sizeof(uint64_t)];
static struct xenstore_domain_interface *pages[CLIENTS];
static evtchn_port_t ports[CLIENTS];

static void check(bool ok)
{
    if (!ok)
        abort();
}

static void add_item(struct journal *j, struct input *in)
{
    uint8_t kind = next(in);
    uint8_t domid = next(in);
    size_t len = next(in);
    struct journal_part part;

    len |= (size_t)next(in) << 8;
    if (len > in->left)
        len = in->left;
    part = (struct journal_part){in->data, len};
    journal_add(j, kind, domid, &part, 1);
    in->data += len;
    in->left -= len;
}

static void leave_behind(struct input *in)
{
    struct journal j;
    bool whole = false;

    memset(area, 0, sizeof(area));
    journal_open(&j, area, sizeof(area));
    journal_begin(&j);
    while (in->left > 0) {
        switch (next(in)) {
        case 'r': memcpy(area, in->data, in->left < sizeof(area) ? in->left : sizeof(area)); return;
        case 'i': add_item(&j, in); break;
        case 'c':
            (void)(whole ? journal_commit(&j) : journal_end(&j));
            whole = true;
            break;
        default: break;
        }
    }
    (void)(whole ? journal_commit(&j) : journal_end(&j));
}

static void run(struct store_service *service)
{
    evtchn_port_t port;

    (void)fake_enter(STORE);
    do {
        while ((port = event_next()) != EVENT_NONE)
            service_event(service, port);
    } while (service_turn(service));
}

static void ask(struct store_service *service, domid_t d, uint8_t type, const char *text,
                uint32_t tx)
{
    struct message m = {.header = {type, 0, tx, 0}};
    struct xenstore_domain_interface *page = pages[d];
    struct evtchn_send send = {ports[d]};

    for (; text[m.header.len]; m.header.len++)
        m.payload[m.header.len] = (char)(text[m.header.len] == '|' ? 0 : text[m.header.len]);
    for (size_t i = 0; i < sizeof(m.header) + m.header.len; i++)
        page->req[MASK_XENSTORE_IDX(page->req_prod++)] = ((const char *)&m)[i];
    (void)fake_enter(d);
    (void)hcall_event_send(&send);
    run(service);
    page->rsp_cons = page->rsp_prod;
    (void)fake_enter(d);
    (void)hcall_event_send(&send);
    run(service);
}

/* Whatever the last life made it believe. */
static void serve(struct store_service *service)
{
    for (domid_t d = 0; d < CLIENTS; d++) {
        /* The client was where the store thinks it was. */
        pages[d]->req_prod = pages[d]->req_cons;
        ask(service, d, XS_WATCH, "/|t|", 0);
        ask(service, d, XS_WRITE, "/local/domain/1/a/b|1", 0);
        for (uint32_t tx = 1; tx < 4; tx++) {
            ask(service, d, XS_RM, "/local|", tx);
            ask(service, d, XS_WRITE, "/x/y|1", tx);
            ask(service, d, XS_TRANSACTION_END, "T|", tx);
        }
        ask(service, d, XS_DIRECTORY, "/|", 0);
        ask(service, d, XS_RM, "/local|", 0);
        ask(service, d, XS_RM, "/x|", 0);
    }
    ask(service, 0, XS_RELEASE, "1|", 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct input in = {data, size};
    struct store_service *service;

    fake_reset();
    for (domid_t d = 0; d < CLIENTS; d++) {
        (void)fake_enter(d);
        pages[d] = memory_pages_alloc(1);
        ports[d] = fake_port(d, STORE);
        fake_grant(d, GNTTAB_RESERVED_XENSTORE, STORE, pages[d], false);
    }
    leave_behind(&in);
    for (unsigned lives = 0; lives < 2; lives++) {
        (void)fake_enter(STORE);
        service = service_create(&moves_limits);
        check(service);
        if (!service_keep(service, area, sizeof(area), 0))
            check(server_is_consistent(service_server(service)));
        if (!service_serves(service, 0))
            (void)service_open(service, 0, ports[0], true);
        serve(service);
        fake_destroy(STORE);
        service_destroy(service);
    }
    check(fake_mappings(STORE) == 0);
    return 0;
}
