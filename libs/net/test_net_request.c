/* Transmit slots as a front end may write them: where packets end, and which are none. */
#include "net_request.h"

#include <string.h>

#include "check.h"

static _Alignas(4096) uint8_t page[4096];
static uint32_t written;
static struct net_request r;
static const char *why;
static uint32_t len;

static void *slot(void)
{
    return page + RING_HEADER + (size_t)NET_TX_SLOT_SIZE * written++;
}

static void data(uint16_t size, uint16_t offset, uint16_t flags)
{
    struct netif_tx_request *s = slot();

    *s = (struct netif_tx_request){
        .gref = 9, .offset = offset, .flags = flags, .id = (uint16_t)(100 + written), .size = size};
}

static void extra(uint8_t type, uint8_t flags, uint16_t size, uint8_t gso_type)
{
    struct netif_extra_info *e = slot();

    memset(e, 0, sizeof(*e));
    e->type = type;
    e->flags = flags;
    e->u.gso.size = size;
    e->u.gso.type = gso_type;
}

static void begin(void)
{
    memset(page, 0, sizeof(page));
    written = 0;
}

/* Takes what was written; the packet's status, or the error of taking it. */
static int outcome(void)
{
    struct ring_back ring;

    ((struct ring_header *)page)->req_prod = written;
    EXPECT(ring_back_attach(&ring, page, sizeof(page), NET_TX_SLOT_SIZE) == 0);
    why = NULL;
    int rc = net_request_take(&ring, written, &r, &why);

    EXPECT((rc < 0) == (why != NULL));
    return rc < 0 ? rc : net_request_check(&r, &len);
}

static int outcome_of(uint16_t size, uint16_t offset)
{
    begin();
    data(size, offset, 0);
    return outcome();
}

TEST(one_slot)
{
    EXPECT(outcome_of(60, 100) == NETIF_RSP_OKAY && len == 60 && r.slots == 1);
    EXPECT(r.ids[0] == 101 && r.data_count == 1 && r.extras == 0);
    EXPECT(outcome_of(14, 4082) == NETIF_RSP_OKAY);
    EXPECT(outcome_of(13, 0) == NETIF_RSP_ERROR);
    EXPECT(outcome_of(0, 0) == NETIF_RSP_ERROR);
    EXPECT(outcome_of(14, 4083) == NETIF_RSP_ERROR);
    EXPECT(outcome_of(4096, 0) == NETIF_RSP_OKAY);
    EXPECT(outcome_of(4097, 0) == NETIF_RSP_ERROR);
    EXPECT(outcome_of(65535, 65535) == NETIF_RSP_ERROR);
}

TEST(the_first_slot_has_what_the_others_have_not)
{
    begin();
    data(5000, 4000, NETTXF_more_data);
    data(4000, 96, NETTXF_more_data);
    data(904, 0, 0);
    EXPECT(outcome() == NETIF_RSP_OKAY && len == 5000 && r.data[0].size == 96);
    begin();
    data(5000, 4001, NETTXF_more_data); /* its 96 bytes leave the page */
    data(4904, 0, 0);
    EXPECT(outcome() == NETIF_RSP_ERROR);
    begin();
    data(5000, 0, NETTXF_more_data); /* nothing is left for it */
    data(4000, 0, NETTXF_more_data);
    data(1000, 0, 0);
    EXPECT(outcome() == NETIF_RSP_ERROR);
    begin();
    data(100, 0, NETTXF_more_data);
    data(200, 0, 0);
    EXPECT(outcome() == NETIF_RSP_ERROR);
    begin();
    data(4196, 0, NETTXF_more_data);
    data(4096, 1, 0);
    EXPECT(outcome() == NETIF_RSP_ERROR);
}

TEST(eighteen_slots_and_no_more)
{
    begin();
    for (unsigned i = 0; i < NET_SLOTS_MAX; i++)
        data(i == 0 ? 1800 : 100, 0, i + 1 < NET_SLOTS_MAX ? NETTXF_more_data : 0);
    EXPECT(outcome() == NETIF_RSP_OKAY && r.slots == NET_SLOTS_MAX && r.data[0].size == 100);
    begin();
    for (unsigned i = 0; i <= NET_SLOTS_MAX; i++)
        data(100, 0, i < NET_SLOTS_MAX ? NETTXF_more_data : 0);
    EXPECT(outcome() == -XEN_EIO);
}

TEST(packets_that_do_not_end)
{
    begin();
    data(100, 0, NETTXF_more_data);
    EXPECT(outcome() == -XEN_EIO);
    begin();
    data(100, 0, NETTXF_extra_info);
    EXPECT(outcome() == -XEN_EIO);
    begin();
    data(100, 0, NETTXF_extra_info);
    extra(XEN_NETIF_EXTRA_TYPE_HASH, XEN_NETIF_EXTRA_FLAG_MORE, 0, 0);
    EXPECT(outcome() == -XEN_EIO);
    begin();
    data(100, 0, NETTXF_extra_info);
    for (unsigned i = 0; i < 30; i++)
        extra(XEN_NETIF_EXTRA_TYPE_HASH, XEN_NETIF_EXTRA_FLAG_MORE, 0, 0);
    EXPECT(outcome() == -XEN_EIO && r.slots <= NET_TX_SLOTS_MAX);
}

TEST(extras)
{
    for (uint8_t type = 0; type < 8; type++) {
        begin();
        data(100, 0, NETTXF_extra_info | NETTXF_csum_blank);
        extra(type, 0, 1448, XEN_NETIF_GSO_TYPE_TCPV4);
        EXPECT(outcome() == (type >= 1 && type <= 5 ? NETIF_RSP_OKAY : -XEN_EIO));
    }
    begin();
    data(4000, 0, NETTXF_extra_info | NETTXF_more_data | NETTXF_csum_blank);
    extra(XEN_NETIF_EXTRA_TYPE_HASH, XEN_NETIF_EXTRA_FLAG_MORE, 0, 0);
    extra(XEN_NETIF_EXTRA_TYPE_GSO, 0, 1400, XEN_NETIF_GSO_TYPE_TCPV6);
    data(2000, 0, 0);
    EXPECT(outcome() == NETIF_RSP_OKAY && r.slots == 4 && r.extras == 6 && r.ids[3] == 104);
    EXPECT(r.gso.u.gso.size == 1400 && r.data_count == 2);
}

static int outcome_of_gso(uint16_t size, uint8_t type, uint16_t flags)
{
    begin();
    data(4000, 0, NETTXF_extra_info | flags);
    extra(XEN_NETIF_EXTRA_TYPE_GSO, 0, size, type);
    return outcome();
}

TEST(segments)
{
    EXPECT(outcome_of_gso(1448, XEN_NETIF_GSO_TYPE_TCPV4, NETTXF_csum_blank) == NETIF_RSP_OKAY);
    EXPECT(outcome_of_gso(0, XEN_NETIF_GSO_TYPE_TCPV4, NETTXF_csum_blank) == NETIF_RSP_ERROR);
    EXPECT(outcome_of_gso(1448, XEN_NETIF_GSO_TYPE_NONE, NETTXF_csum_blank) == NETIF_RSP_ERROR);
    EXPECT(outcome_of_gso(1448, 3, NETTXF_csum_blank) == NETIF_RSP_ERROR);
    EXPECT(outcome_of_gso(1448, XEN_NETIF_GSO_TYPE_TCPV4, 0) == NETIF_RSP_ERROR);
}
