/*
 * How answers survive the death of who writes them. A response overwrites its
 * request, and a packet has several: their index is published by whole packets,
 * and before the first of a packet's responses is written, its record is. Whoever
 * finds the ring after a death can finish the packet's answer; every slot behind
 * it still holds its request.
 */
#ifndef NET_REDO_H
#define NET_REDO_H

#include <stdbool.h>
#include <stdint.h>

#include <abi/net.h>

/* Extras that may stand behind a packet's first slot; there are five kinds. */
#define NET_EXTRAS_MAX   8u
#define NET_TX_SLOTS_MAX (NET_SLOTS_MAX + NET_EXTRAS_MAX)

/* In memory that survives this domain's death; read as hostile input afterwards. */
struct net_redo_record {
    uint64_t tag; /* NET_REDO_VALID and the ring index of the first slot; 0: none */
    uint32_t slots;
    uint32_t extras; /* bit n: slot n of the packet is an extra */
    int32_t status;
    uint32_t ids; /* receive: of the extras, slots 1 and 2; their answer overwrites it */
};
#define NET_REDO_VALID (1ull << 63)

/* One packet's answer. */
struct net_redo_answer {
    uint32_t first, slots, extras, ids;
    int16_t status;
};

void net_redo_write(struct net_redo_record *record, const struct net_redo_answer *answer);
void net_redo_clear(struct net_redo_record *record);

/* The answer that was begun at this index and not published; false: none that makes sense. */
bool net_redo_read(const struct net_redo_record *record, uint32_t first, uint32_t pending,
                   struct net_redo_answer *answer);

#endif
