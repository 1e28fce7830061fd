/* Frames of the switch's own, and the pages behind them. */
#include "switch_pool.h"

#include <stddef.h>

#include <xen/errno.h>

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
    pool->made_count = 0;
    pool->page_count = 0;
    pool->free_pages = 0;
}

static void give_heads(struct switch_pool *pool, uint8_t *page, uint64_t dma)
{
    for (unsigned at = 0; at < 4096u; at += SWITCH_HEAD_SIZE) {
        struct switch_made *made = &pool->made[pool->made_count++];

        *made = (struct switch_made){.room = page + at, .room_dma = dma + at, .next = pool->free};
        pool->free = made;
    }
}

int switch_pool_give(struct switch_pool *pool, uint8_t *page, uint64_t dma)
{
    if (pool->made_count < SWITCH_MADE_MAX) {
        give_heads(pool, page, dma);
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

    for (unsigned i = 0; i < made->page_count; i++)
        pool->free_list[pool->free_pages++] = made->pages[i];
    made->page_count = 0;
    made->next = pool->free;
    pool->free = made;
    if (made->parent)
        net_packet_put(&made->parent->packet);
}
