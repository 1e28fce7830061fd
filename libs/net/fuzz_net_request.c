/* Bytes: a transmit ring as they fill it. Every packet that is one lies in its pages. */
#include "net_request.h"

#include <stdlib.h>
#include <string.h>

#include <abi/addr.h>

static void must(bool ok)
{
    if (!ok)
        abort();
}

static void check(struct net_request *r)
{
    uint32_t len, sum = 0;
    uint32_t extras = (uint32_t)__builtin_popcount(r->extras);

    must(r->slots >= 1 && r->slots <= NET_TX_SLOTS_MAX && (r->extras & 1) == 0);
    must(r->data_count + extras == r->slots && r->extras >> r->slots == 0);
    if (net_request_check(r, &len) != NETIF_RSP_OKAY)
        return;
    must(len >= 14 && len <= UINT16_MAX);
    for (uint32_t i = 0; i < r->data_count; i++) {
        must((uint32_t)r->data[i].offset + r->data[i].size <= PAGE_SIZE);
        sum += r->data[i].size;
    }
    must(sum == len && r->data[0].size > 0);
    must(r->gso.type == 0 || r->gso.u.gso.size > 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static _Alignas(4096) uint8_t page[PAGE_SIZE];
    struct ring_back ring;
    uint32_t count = (uint32_t)(size / NET_TX_SLOT_SIZE) % 257;

    memset(page, 0, sizeof(page));
    if (size > 0)
        memcpy(page + RING_HEADER, data, size < PAGE_SIZE - RING_HEADER ? size : PAGE_SIZE - 64);
    ((struct ring_header *)page)->req_prod = count;
    must(ring_back_attach(&ring, page, sizeof(page), NET_TX_SLOT_SIZE) == 0);
    for (uint32_t left = count; left > 0;) {
        struct net_request r;
        const char *why = NULL;

        if (net_request_take(&ring, left, &r, &why) < 0) {
            must(why != NULL && r.slots <= NET_TX_SLOTS_MAX && r.slots <= left);
            break;
        }
        must(r.slots <= left && why == NULL);
        left -= r.slots;
        must(ring.req_cons == count - left);
        check(&r);
    }
    return 0;
}
