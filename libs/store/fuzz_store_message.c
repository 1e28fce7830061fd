/*
 * Any bytes as messages to the store's core: first byte who asks (bit 0) and
 * whether in a transaction (bit 1), then the request's type, the payload's length,
 * the payload; and so on.
 */
#include <stdlib.h>
#include <string.h>

#include "store_server.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct store_limits limits = {
    .nodes = 12,
    .node_bytes = 256,
    .perms = 3,
    .watches = 4,
    .events = 8,
    .transactions = 3,
    .transaction_nodes = 10,
    .domain_bytes = 6000,
    .total_bytes = 24000,
};

static void check(bool ok)
{
    if (!ok)
        abort();
}

/* An exact-size copy, so that a read past the end is seen. */
static void ask(struct store_server *s, struct store_domain *d, uint32_t type, uint32_t tx,
                const uint8_t *payload, size_t len)
{
    static struct server_message answer;
    struct xsd_sockmsg header = {type, 1, tx, (uint32_t)len};
    char *copy = malloc(len ? len : 1);

    check(copy != NULL);
    if (len)
        memcpy(copy, payload, len);
    (void)server_request(s, d, &header, copy, &answer);
    free(copy);
    check(answer.header.len <= STORE_PAYLOAD_MAX && answer.header.req_id == 1);
    check(answer.header.type == XS_ERROR || answer.header.type == type);
    check(server_is_consistent(s));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char home[] = "/local/domain/1";
    static const char owner[] = "/local/domain/1\0n1";
    static struct server_message event;
    struct store_server *s = server_create(&limits);
    struct store_domain *d[2];

    check(s != NULL);
    d[0] = server_introduce(s, 0, true);
    d[1] = server_introduce(s, 1, false);
    check(d[0] && d[1]);
    ask(s, d[0], XS_MKDIR, 0, (const uint8_t *)home, sizeof(home));
    ask(s, d[0], XS_SET_PERMS, 0, (const uint8_t *)owner, sizeof(owner));
    while (size >= 3) {
        size_t len = data[2];
        uint32_t tx = data[0] >> 1 & 3;

        if (len > size - 3)
            len = size - 3;
        ask(s, d[data[0] & 1], data[1], tx, data + 3, len);
        if (data[0] & 0x80) {
            (void)server_event(s, d[1], &event);
            check(server_is_consistent(s));
        }
        data += 3 + len;
        size -= 3 + len;
    }
    while (server_event(s, d[0], &event))
        check(event.header.len <= STORE_PAYLOAD_MAX);
    server_release(s, 1);
    check(server_is_consistent(s));
    server_destroy(s);
    return 0;
}
