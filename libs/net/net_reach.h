/*
 * Makes frames reachable for a device: short ones are copied together into one
 * buffer, of long ones the head is, so that the driver may finish it, and the
 * granted pages are mapped for DMA. Everything for a round is done by one copy
 * and one map, and undone by one unmap.
 */
#ifndef NET_REACH_H
#define NET_REACH_H

#include <stddef.h>

#include <net_batch.h>
#include <net_port.h>

/* Frames up to this length, tag included, are copied. */
#define NET_REACH_COPY    2048u
#define NET_REACH_BUFFERS 128u
#define NET_REACH_MAPS    512u

/* Pages of memory, and of guest-physical space, that net_reach_init wants. */
#define NET_REACH_MEMORY (NET_REACH_BUFFERS * NET_REACH_COPY / 4096u)
#define NET_REACH_SPACE  NET_REACH_MAPS

/* Memory that a device can reach in one piece; it never crosses a page. */
struct net_span {
    uint64_t dma;
    uint32_t len;
};

/* A frame at a device; embedded in what the driver knows of it. */
struct net_reached {
    struct net_packet *packet; /* held from net_reach_add to net_reach_end */
    struct net_reached *next;
    bool failed;     /* after net_reach_run: it cannot be read, and is to be released unsent */
    uint16_t buffer; /* that it, or its head, was copied to */
    uint8_t span_count;
    uint8_t map_count;
    uint8_t map_span[NET_PIECES_MAX]; /* the span of each map */
    uint16_t maps[NET_PIECES_MAX];
    uint32_t first_map;
    struct net_span spans[NET_PIECES_MAX + 1]; /* the first in the buffer */
};

struct net_reach {
    struct net_batch *batch;
    uint8_t *memory, *space;
    struct net_reached *added, *released;
    uint32_t queued; /* maps */
    uint16_t free_buffers, free_maps;
    uint16_t buffer_count, map_count; /* free ones */
    uint16_t next_buffer[NET_REACH_BUFFERS], next_map[NET_REACH_MAPS];
    grant_handle_t handles[NET_REACH_MAPS];
    struct gnttab_map_grant_ref maps[NET_REACH_MAPS];
    struct gnttab_unmap_grant_ref unmaps[NET_REACH_MAPS];
    uint64_t mapped, map_calls, unmap_calls, unmap_failures;
};

void net_reach_init(struct net_reach *r, void *memory, void *space, struct net_batch *batch);

/* A frame's first bytes, from net_reach_run on: as the device will read them. */
static inline uint8_t *net_reach_head(const struct net_reach *r, const struct net_reached *frame)
{
    return r->memory + (size_t)frame->buffer * NET_REACH_COPY;
}

/*
 * Takes a frame for the device, with the tag put into it, and holds its packet.
 * False: there is no room before others are released.
 */
bool net_reach_add(struct net_reach *r, struct net_reached *frame, struct net_packet *packet,
                   struct net_tag tag);

/* Makes everything added reachable: then each frame's spans are true, or it failed. */
void net_reach_run(struct net_reach *r);

/* The device is done with a frame: the next end lets go of its pages and puts its packet. */
void net_reach_release(struct net_reach *r, struct net_reached *frame);
void net_reach_end(struct net_reach *r);

#endif
