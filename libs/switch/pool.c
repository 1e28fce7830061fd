/* Frames of the switch's own, and the pages behind them. */
#include "switch_pool.h"

#include <stddef.h>
#include <string.h>

#include <xen/errno.h>

#define PAGE 4096u

static void made_done(struct net_port *port, struct net_packet *packet);

static const struct net_port_driver made_driver = {.done = made_done};

static struct switch_pool *pool_of(struct net_port *port)
{
    return (struct switch_pool *)((char *)port - offsetof(struct switch_pool, port));
}

void switch_pool_init(struct switch_pool *pool, const struct switch_pool_driver *driver,
                      void *context)
{
    pool->driver = driver;
    pool->context = context;
    pool->port = (struct net_port){.driver = &made_driver};
    pool->free = NULL;
    pool->used_made = 0;
    pool->made_count = 0;
    pool->free_made = 0;
    pool->part_count = 0;
    pool->page_count = 0;
    pool->free_pages = 0;
}

int switch_pool_give(struct switch_pool *pool, uint8_t *page, uint64_t dma)
{
    if (pool->made_count < SWITCH_MADE_MAX) {
        pool->heads[pool->made_count / SWITCH_PAGE_HEADS] = page;
        pool->made_count += SWITCH_PAGE_HEADS;
        pool->free_made += SWITCH_PAGE_HEADS;
        return 0;
    }
    if (pool->page_count == SWITCH_PAGES_MAX)
        return -XEN_ENOSPC;
    pool->pages[pool->page_count] = (struct switch_page){.page = page, .dma = dma};
    pool->free_list[pool->free_pages++] = pool->page_count++;
    return 0;
}

static void made_done(struct net_port *port, struct net_packet *packet)
{
    struct switch_pool *pool = pool_of(port);
    struct switch_made *made = (struct switch_made *)packet;
    struct switch_made *parent = made->parent;

    for (unsigned i = 0; i < made->page_count; i++)
        pool->free_list[pool->free_pages++] = made->pages[i];
    made->page_count = 0;
    made->next = pool->free;
    pool->free = made;
    pool->free_made++;
    if (parent)
        net_packet_put(&parent->packet);
}

/* One that was never taken. */
static struct switch_made *made_first(struct switch_pool *pool)
{
    uint16_t n = pool->used_made++;
    struct switch_made *made = &pool->made[n];

    *made = (struct switch_made){.room = pool->heads[n / SWITCH_PAGE_HEADS] +
                                         n % SWITCH_PAGE_HEADS * SWITCH_HEAD_SIZE};
    return made;
}

struct switch_made *switch_made_alloc(struct switch_pool *pool)
{
    struct switch_made *made = pool->free;

    if (pool->free_made == 0)
        return NULL;
    if (made)
        pool->free = made->next;
    else
        made = made_first(pool);
    pool->free_made--;
    made->next = NULL;
    made->original = NULL;
    made->parent = NULL;
    made->failed = false;
    made->packet.from = &pool->port;
    made->packet.refs = 1;
    made->packet.unreadable = false;
    made->packet.gso = NET_GSO_NONE;
    made->packet.gso_size = 0;
    made->packet.head = made->room + NET_HEAD_ROOM;
    made->packet.piece_count = 0;
    return made;
}

/* ---- copies -------------------------------------------------------------------------------- */

struct switch_made *switch_made_for(struct switch_pool *pool, const struct net_packet *packet,
                                    uint16_t split)
{
    uint32_t pages = (packet->len - split + PAGE - 1) / PAGE;

    if (pages > NET_PIECES_MAX || pages > pool->free_pages || switch_pool_spare(pool) == 0)
        return NULL;

    struct switch_made *made = switch_made_alloc(pool);

    for (made->page_count = 0; made->page_count < pages; made->page_count++)
        made->pages[made->page_count] = pool->free_list[--pool->free_pages];
    made->packet.head_len = split;
    return made;
}

void switch_pool_fetch(struct switch_pool *pool)
{
    if (pool->part_count == 0)
        return;
    pool->driver->fetch(pool->context, pool->parts, pool->part_count);
    for (unsigned i = 0; i < pool->part_count; i++)
        if (pool->parts[i].failed)
            pool->part_of[i]->failed = true;
    pool->part_count = 0;
}

static void fetch_later(struct switch_pool *pool, struct switch_made *made, struct switch_part part)
{
    if (pool->part_count == SWITCH_PARTS_MAX)
        switch_pool_fetch(pool);
    pool->part_of[pool->part_count] = made;
    pool->parts[pool->part_count++] = part;
}

/* Where the next bytes of a copy go: behind its head, page by page. */
struct place {
    struct switch_pool *pool;
    struct switch_made *made;
    uint32_t at, end;
};

/* Room for up to `len` bytes, in one page: how many; 0: the pieces are longer than the frame. */
static uint32_t place_next(struct place *p, uint32_t len, uint8_t **to)
{
    uint32_t room = PAGE - p->at % PAGE;

    if (room > p->end - p->at)
        room = p->end - p->at;
    if (room > len)
        room = len;
    if (room > 0)
        *to = p->pool->pages[p->made->pages[p->at / PAGE]].page + p->at % PAGE;
    p->at += room;
    return room;
}

static void place_local(struct place *p, const uint8_t *from, uint32_t len)
{
    uint8_t *to = NULL;
    uint32_t n;

    for (; len > 0 && (n = place_next(p, len, &to)) > 0; len -= n, from += n)
        memcpy(to, from, n);
}

static void place_granted(struct place *p, domid_t owner, const struct net_piece *piece)
{
    uint8_t *to = NULL;
    uint32_t n;

    for (uint32_t done = 0; done < piece->len; done += n) {
        n = place_next(p, piece->len - done, &to);
        if (n == 0)
            return;
        fetch_later(p->pool, p->made,
                    (struct switch_part){.owner = owner,
                                         .ref = piece->ref,
                                         .offset = (uint16_t)(piece->offset + done),
                                         .len = (uint16_t)n,
                                         .to = to});
    }
}

/* The pages that a copy has become its pieces. */
static void show_pages(struct switch_pool *pool, struct switch_made *made)
{
    uint32_t left = made->packet.len - made->packet.head_len;

    made->packet.piece_count = made->page_count;
    for (unsigned i = 0; i < made->page_count; i++) {
        const struct switch_page *page = &pool->pages[made->pages[i]];

        made->packet.pieces[i] = (struct net_piece){.is_local = true,
                                                    .len = (uint16_t)(left < PAGE ? left : PAGE),
                                                    .page = page->page,
                                                    .dma = page->dma};
        left -= made->packet.pieces[i].len;
    }
}

void switch_made_copy(struct switch_pool *pool, struct switch_made *made,
                      const struct net_packet *packet)
{
    uint16_t split = made->packet.head_len;
    struct place place = {.pool = pool, .made = made, .end = packet->len - split};

    memcpy(made->packet.head, packet->head, split);
    made->packet.owner = packet->owner;
    made->packet.gso = packet->gso;
    made->packet.gso_size = packet->gso_size;
    made->packet.checksum = packet->checksum;
    made->packet.len = packet->len;
    place_local(&place, packet->head + split, packet->head_len - split);
    for (unsigned i = 0; i < packet->piece_count; i++) {
        const struct net_piece *piece = &packet->pieces[i];

        if (piece->is_local)
            place_local(&place, piece->page + piece->offset, piece->len);
        else
            place_granted(&place, packet->owner, piece);
    }
    /* Pages that nothing was put in hold bytes of other frames. */
    made->failed = place.at != place.end;
    show_pages(pool, made);
}
