/*
 * Which port an Ethernet address was last seen at, for each VLAN. Bounded, and
 * every port's part of it is: a guest that makes up addresses pushes out its own.
 */
#ifndef SWITCH_TABLE_H
#define SWITCH_TABLE_H

#include <stdbool.h>
#include <stdint.h>

#define SWITCH_TABLE_SIZE    4096u
#define SWITCH_TABLE_BUCKETS 4096u
#define SWITCH_TABLE_PORTS   64u
#define SWITCH_SHARE_GUEST   32u
#define SWITCH_SHARE_UPLINK  1024u
#define SWITCH_AGE           (300u * UINT64_C(1000000000)) /* 802.1D's 300 seconds */

#define SWITCH_NO_ENTRY UINT16_MAX

struct switch_entry {
    uint64_t mac;
    uint64_t seen;
    uint16_t vid;
    uint16_t port;
    uint16_t next;         /* of the bucket, or of the free ones */
    uint16_t newer, older; /* of the same port */
};

/* A port's part; its entries by when they were last seen. */
struct switch_share {
    uint16_t newest, oldest;
    uint16_t count, max;
};

struct switch_table {
    uint64_t key;
    uint16_t free;
    uint16_t unpromised; /* entries that are in no port's share */
    uint16_t open;       /* ports that have one */
    struct switch_share shares[SWITCH_TABLE_PORTS];
    uint16_t buckets[SWITCH_TABLE_BUCKETS];
    struct switch_entry entries[SWITCH_TABLE_SIZE];
};

enum switch_learned { SWITCH_KNOWN, SWITCH_NEW, SWITCH_MOVED };

_Static_assert(SWITCH_TABLE_PORTS *SWITCH_SHARE_GUEST <= SWITCH_TABLE_SIZE, "a share for each");

void switch_table_init(struct switch_table *t, uint64_t seed);

/* A port gets a share of `want` entries, or as many as those still to come leave; enough for a
 * guest. */
void switch_table_open(struct switch_table *t, uint16_t port, uint16_t want);

/* Forgets all of a port; it keeps its share. */
void switch_table_clear(struct switch_table *t, uint16_t port);

/* And gives the share back. */
void switch_table_close(struct switch_table *t, uint16_t port);

/* NULL: not known, or too long ago. */
const struct switch_entry *switch_table_find(struct switch_table *t, uint64_t mac, uint16_t vid,
                                             uint64_t now);

/* The address is at this port now. */
enum switch_learned switch_table_learn(struct switch_table *t, uint16_t port, uint64_t mac,
                                       uint16_t vid, uint64_t now);

#endif
