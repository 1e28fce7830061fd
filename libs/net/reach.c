/* Frames for a device: copied into a buffer of ours, or their pages mapped. */
#include "net_reach.h"

#include <string.h>

#include <abi/addr.h>

#include <hcall.h>
#include <rt/memory.h>

#include "net_layout.h"

#define NONE UINT16_MAX

static uint8_t *buffer_at(const struct net_reach *r, uint16_t buffer)
{
    return r->memory + (size_t)buffer * NET_REACH_COPY;
}

static uint8_t *map_at(const struct net_reach *r, uint16_t map)
{
    return r->space + (size_t)map * PAGE_SIZE;
}

static void buffer_free(struct net_reach *r, uint16_t buffer)
{
    if (buffer == NONE)
        return;
    r->next_buffer[buffer] = r->free_buffers;
    r->free_buffers = buffer;
    r->buffer_count++;
}

static void map_free(struct net_reach *r, uint16_t map)
{
    r->next_map[map] = r->free_maps;
    r->free_maps = map;
    r->map_count++;
}

void net_reach_init(struct net_reach *r, void *memory, void *space, struct net_batch *batch)
{
    memset(r, 0, sizeof(*r));
    r->memory = memory;
    r->space = space;
    r->batch = batch;
    r->free_buffers = r->free_maps = NONE;
    for (uint16_t i = NET_REACH_BUFFERS; i-- > 0;)
        buffer_free(r, i);
    for (uint16_t i = NET_REACH_MAPS; i-- > 0;)
        map_free(r, i);
}

static uint8_t *buffer_take(struct net_reach *r, struct net_reached *frame)
{
    frame->buffer = r->free_buffers;
    r->free_buffers = r->next_buffer[frame->buffer];
    r->buffer_count--;
    return buffer_at(r, frame->buffer);
}

static void span_add(struct net_reached *frame, uint64_t dma, uint32_t len)
{
    if (len > 0)
        frame->spans[frame->span_count++] = (struct net_span){.dma = dma, .len = len};
}

/* Everything behind one another: one span for the device. */
static void frame_copy(struct net_reach *r, struct net_reached *frame,
                       const struct net_parts *parts)
{
    uint8_t *to = buffer_take(r, frame);
    uint32_t used = 0;

    for (uint32_t i = 0; i < parts->count; i++) {
        const struct net_part *part = &parts->parts[i];

        if (part->from.local)
            memcpy(to + used, part->from.local, part->len);
        else
            net_batch_copy(r->batch, part->from, net_place_local(to + used), part->len,
                           &frame->failed);
        used += part->len;
    }
    span_add(frame, memory_dma_address(to), used);
}

/* Where a granted piece will be; its device address comes when it is mapped. */
static void piece_map(struct net_reach *r, struct net_reached *frame, const struct net_piece *piece)
{
    uint16_t map = r->free_maps;

    r->free_maps = r->next_map[map];
    r->map_count--;
    frame->map_span[frame->map_count] = frame->span_count;
    frame->maps[frame->map_count++] = map;
    r->maps[r->queued++] = (struct gnttab_map_grant_ref){
        .host_addr = (uintptr_t)map_at(r, map),
        .flags = GNTMAP_host_map | GNTMAP_device_map | GNTMAP_readonly,
        .ref = piece->ref,
        .dom = frame->packet->owner,
    };
    span_add(frame, piece->offset, piece->len);
}

/* The head, with its tag: a copy that the driver may finish as its device wants it. */
static void head_copy(struct net_reach *r, struct net_reached *frame, const struct net_parts *parts,
                      uint32_t len)
{
    uint8_t *to = buffer_take(r, frame);
    uint32_t used = 0;

    for (uint32_t i = 0; used < len; i++) {
        memcpy(to + used, parts->parts[i].from.local, parts->parts[i].len);
        used += parts->parts[i].len;
    }
    span_add(frame, memory_dma_address(to), used);
}

static void frame_map(struct net_reach *r, struct net_reached *frame, const struct net_parts *parts,
                      bool tagged)
{
    const struct net_packet *p = frame->packet;

    head_copy(r, frame, parts, p->head_len + (tagged ? NET_TAG_LEN : 0));
    frame->first_map = r->queued;
    for (uint32_t i = 0; i < p->piece_count; i++) {
        const struct net_piece *piece = &p->pieces[i];

        if (piece->is_local)
            span_add(frame, piece->dma + piece->offset, piece->len);
        else if (piece->len > 0)
            piece_map(r, frame, piece);
    }
}

static uint32_t pieces_to_map(const struct net_packet *p)
{
    uint32_t count = 0;

    for (uint32_t i = 0; i < p->piece_count; i++)
        count += !p->pieces[i].is_local && p->pieces[i].len > 0;
    return count;
}

static uint32_t length_of(const struct net_parts *parts)
{
    uint32_t len = 0;

    for (uint32_t i = 0; i < parts->count; i++)
        len += parts->parts[i].len;
    return len;
}

bool net_reach_add(struct net_reach *r, struct net_reached *frame, struct net_packet *packet,
                   struct net_tag tag)
{
    uint8_t front[NET_FRONT_LEN];
    struct net_parts parts;
    uint32_t to_map = pieces_to_map(packet);

    net_parts_of(&parts, packet, tag, front);

    bool copy = length_of(&parts) <= NET_REACH_COPY;

    if (r->buffer_count == 0 || (!copy && to_map > r->map_count) ||
        packet->head_len + NET_TAG_LEN > NET_REACH_COPY)
        return false;
    *frame = (struct net_reached){.packet = packet, .buffer = NONE, .next = r->added};
    r->added = frame;
    net_packet_get(packet);
    if (copy)
        frame_copy(r, frame, &parts);
    else
        frame_map(r, frame, &parts, tag.present);
    return true;
}

/* What became of a frame's maps; one that failed is no mapping to end. */
static void maps_settle(struct net_reach *r, struct net_reached *frame, bool called)
{
    uint32_t good = 0;

    for (uint32_t i = 0; i < frame->map_count; i++) {
        const struct gnttab_map_grant_ref *op = &r->maps[frame->first_map + i];

        if (!called || op->status != GNTST_okay) {
            frame->failed = true;
            map_free(r, frame->maps[i]);
            continue;
        }
        frame->spans[frame->map_span[i]].dma += op->dev_bus_addr;
        r->handles[frame->maps[i]] = op->handle;
        frame->maps[good++] = frame->maps[i];
    }
    frame->map_count = (uint8_t)good;
}

void net_reach_run(struct net_reach *r)
{
    bool called = true;

    net_batch_run(r->batch);
    if (r->queued > 0) {
        called = hcall_grant_map(r->maps, r->queued) >= 0;
        r->map_calls++;
        r->mapped += r->queued;
    }
    for (; r->added; r->added = r->added->next) {
        maps_settle(r, r->added, called);
        /* Copies into memory of ours and maps fail only where the owner's grant is none. */
        if (r->added->failed)
            r->added->packet->unreadable = true;
    }
    r->queued = 0;
}

void net_reach_release(struct net_reach *r, struct net_reached *frame)
{
    frame->next = r->released;
    r->released = frame;
}

static void unmaps_do(struct net_reach *r)
{
    uint32_t count = 0;

    for (const struct net_reached *f = r->released; f; f = f->next)
        for (uint32_t i = 0; i < f->map_count; i++)
            r->unmaps[count++] = (struct gnttab_unmap_grant_ref){
                .host_addr = (uintptr_t)map_at(r, f->maps[i]), .handle = r->handles[f->maps[i]]};
    if (count == 0)
        return;
    int rc = hcall_grant_unmap(r->unmaps, count);

    r->unmap_calls++;
    count = 0;
    for (const struct net_reached *f = r->released; f; f = f->next) {
        for (uint32_t i = 0; i < f->map_count; i++, count++) {
            if (rc >= 0 && r->unmaps[count].status == GNTST_okay)
                map_free(r, f->maps[i]);
            else /* the address may still be mapped: never use it again */
                r->unmap_failures++;
        }
    }
}

/* No sender may hear that its packet is done before its pages are out of our hands. */
void net_reach_end(struct net_reach *r)
{
    struct net_reached *frame = r->released;

    unmaps_do(r);
    r->released = NULL;
    while (frame) {
        struct net_reached *next = frame->next;

        buffer_free(r, frame->buffer);
        net_packet_put(frame->packet);
        frame = next;
    }
}
