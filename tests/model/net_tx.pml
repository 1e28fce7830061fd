/*
 * A network interface's transmit ring: packets of several slots, whose answers are
 * published whole. A stock front end, and a back end that may die between any two
 * of its steps; in brackets what a step stands for, as in blk.pml.
 */

/* ---- what is tried: model.py sets these ------------------------------------------------------ */

#ifndef SLOTS
#define SLOTS 4
#endif
#ifndef JOBS
#define JOBS SLOTS /* packets worked on at a time (NET_TAKEN_MAX); the others wait in the ring */
#endif
#ifndef PACKETS
#define PACKETS 3 /* that the guest sends in all */
#endif
#ifndef DEATHS
#define DEATHS 2
#endif
#ifndef MUTANT
#define MUTANT NONE
#endif

#define NONE           0
#define TAG_FIRST      1 /* the record is called valid before it is written */
#define NO_RECORD      2 /* a successor takes no notice of the record */
#define RECORD_LATE    3 /* the answers are written before their record */
#define INDEX_FIRST    4 /* the index is published before the answers are written */
#define SLOT_BY_SLOT   5 /* the index is published after each slot */
#define EXTRA_ANSWERED 6 /* an extra is answered as if it had an id */
#define EXTRAS_LOST    7 /* the record does not say which slots are extras */
#define NO_LAST_LOOK   8 /* the back end asks for an event and sleeps, without looking again */
#define NO_BARRIER     9 /* what the front end waits for is read before the index is stored */
#define NO_EVENT       10 /* a successor does not tell the front end */
#define QUIET_FOR_EVER 11 /* answers that wait for company have no deadline */
#define NO_LOOK_ROOM   12 /* after an answer made room, the ring is not looked at */
#define RESTLESS       13 /* the back end never sleeps */

/* ---- shared memory --------------------------------------------------------------------------- */

#define EXTRA 33       /* the kind of an extra, where other slots have their page */
#define SIZE  34       /* what an extra says */
#define NULLED (RSP + 1) /* NETIF_RSP_NULL; RSP alone is NETIF_RSP_OKAY */

/* A response writes over the first four bytes of its slot; what is behind them stays. */
typedef slot {
    byte word0; /* bytes 0-1: page or EXTRA; RSP + id */
    byte word1; /* bytes 2-3: page or SIZE; status */
    bit more;   /* another slot belongs to the packet (NETTXF_more_data) */
    bit extra;  /* so does an extra (NETTXF_extra_info) */
    byte id
};

#include "ring.pml"

slot ring[SLOTS];
byte page[SLOTS]; /* the guest's, by id: the packet whose data is there; 0: none */

/* What the checks know: the packet of a slot, how many slots it has, whether it went out. */
byte packet_of[SLOTS];
byte slots_of[SLOTS]; /* 0: not the packet's first */
bool extra_at[SLOTS];
bool sent[PACKETS + 1];

/* ---- the guest: stock netfront --------------------------------------------------------------- */

inline clear(at)
{
    ring[at].word0 = 0;
    ring[at].word1 = 0;
    ring[at].more = 0;
    ring[at].extra = 0;
    ring[at].id = 0;
    packet_of[at] = 0;
    slots_of[at] = 0;
    extra_at[at] = false
}

/* A slot of data in a page of its own. */
inline post_data(has_more, has_extra)
{
    do
    :: page[id] != 0 -> id++
    :: else -> break
    od;
    page[id] = packets;
    ring[next % SLOTS].word0 = id;
    ring[next % SLOTS].word1 = id;
    ring[next % SLOTS].more = has_more;
    ring[next % SLOTS].extra = has_extra;
    ring[next % SLOTS].id = id;
    packet_of[next % SLOTS] = packets;
    next++;
    id = 0
}

inline post_extra()
{
    ring[next % SLOTS].word0 = EXTRA;
    ring[next % SLOTS].word1 = SIZE;
    packet_of[next % SLOTS] = packets;
    extra_at[next % SLOTS] = true;
    next++
}

/* A packet into the ring, not yet published [xennet_start_xmit]. */
#define POST(count, content) \
    d_step { \
        next - taken + count <= SLOTS -> \
        packets++; \
        slots_of[next % SLOTS] = count; \
        content \
    }

/* Every response up to the published index [xennet_tx_buf_gc]. */
inline take_responses()
{
    assert(rsp_prod >= taken && rsp_prod <= req_prod);
    do
    :: taken != rsp_prod ->
        if
        :: ring[taken % SLOTS].word1 == NULLED -> assert(extra_at[taken % SLOTS])
        :: else ->
            assert(ring[taken % SLOTS].word0 >= RSP);
            id = ring[taken % SLOTS].word0 - RSP;
            assert(id < SLOTS && page[id] != 0 && page[id] == packet_of[taken % SLOTS]);
            page[id] = 0;
            id = 0
        fi;
        clear(taken % SLOTS);
        taken++
    :: else -> break
    od
}

active proctype guest()
{
    byte next;    /* requests written (req_prod_pvt) */
    byte taken;   /* responses taken (rsp_cons) */
    byte packets; /* posted so far */
    byte old, id;

    do
    :: atomic { packets < PACKETS && next - taken < SLOTS ->
        if
        :: POST(1, post_data(0, 0))
        :: POST(2, post_data(1, 0); post_data(0, 0))
        :: POST(2, post_data(0, 1); post_extra())
        :: POST(3, post_data(1, 1); post_extra(); post_data(0, 0))
        fi }
    PUSH
    :: front_pending -> front_pending = false;
        do
        :: d_step { take_responses(); skip }
            rsp_event = taken + 1;
            if /* [RING_FINAL_CHECK_FOR_RESPONSES] */
            :: rsp_prod != taken
            :: else -> break
            fi
        od
    :: packets == PACKETS && taken == next -> break
    od
}

#include "net_tx_back.pml"
