/*
 * A network interface's receive ring: a stock front end posts buffers, frames of
 * several slots are copied into them, and answered whole. The back end may die
 * between any two of its steps; in brackets what a step stands for, as in blk.pml.
 */

/* ---- what is tried: model.py sets these ------------------------------------------------------ */

#ifndef SLOTS
#define SLOTS 4
#endif
#ifndef FRAMES
#define FRAMES 3 /* that come for the guest in all */
#endif
#ifndef DEATHS
#define DEATHS 2
#endif
#ifndef MUTANT
#define MUTANT NONE
#endif

#define NONE         0
#define TAG_FIRST    1 /* the record is called valid before it is written */
#define NO_RECORD    2 /* a successor takes no notice of the record */
#define RECORD_LATE  3 /* the answers are written before their record */
#define INDEX_FIRST  4 /* the index is published before the answers are written */
#define SLOT_BY_SLOT 5 /* the index is published after each slot */
#define IDS_LOST     6 /* the record does not say whose buffer an extra has */
#define GOOD_AGAIN   7 /* a successor answers as if it knew what was in the buffers */
#define NO_LAST_LOOK 8 /* the back end asks for an event and sleeps, without looking again */
#define NO_BARRIER   9 /* what the front end waits for is read before the index is stored */
#define NO_EVENT     10 /* a successor does not tell the front end */
#define TOO_MANY     11 /* the back end asks for an event at more buffers than it needs */
#define RESTLESS     12 /* the back end never sleeps */

/* ---- shared memory --------------------------------------------------------------------------- */

#include "ring.pml"

#define REF    32        /* a buffer's reference, and its id */
#define GOOD   RSP       /* a response's flags and status: MORE and EXTRA are added */
#define MORE   1         /* another slot belongs to the frame (NETRXF_more_data) */
#define EXTRA  2         /* so does an extra (NETRXF_extra_info) */
#define ERROR  (RSP + 4) /* NETIF_RSP_ERROR */
#define GSO    (RSP + 5) /* what an extra says */
#define KIND   33        /* of an extra, where other slots have their id */

/* A response has its id where the request has it, and destroys the reference. */
typedef slot {
    byte word0; /* bytes 0-3: id; KIND */
    byte word1  /* bytes 4-7: REF + id; flags and status; GSO */
};

slot ring[SLOTS];
byte page[SLOTS]; /* the guest's, by id: the frame whose data is there; 0: none */

byte came;    /* frames from elsewhere, numbered from 1 */
byte fresh;   /* of these, not yet seen by the back end */
byte waiting; /* frames that found no buffers */

/* What the checks know: how many slots a frame has, by its number. */
byte slots_of[FRAMES + 1];

/* ---- the guest: stock netfront --------------------------------------------------------------- */

#define RESPONSE(n) ring[(taken + n) % SLOTS]

/* One frame, or one buffer that comes back empty [xennet_get_responses, xennet_get_extras]. */
inline take_frame()
{
    n = 1;
    if
    :: RESPONSE(0).word1 == ERROR -> assert(RESPONSE(0).word0 == taken % SLOTS)
    :: else ->
        assert(RESPONSE(0).word1 >= GOOD && RESPONSE(0).word1 <= GOOD + MORE + EXTRA);
        assert(RESPONSE(0).word0 == taken % SLOTS);
        if
        :: RESPONSE(0).word1 == GOOD + EXTRA || RESPONSE(0).word1 == GOOD + EXTRA + MORE ->
            assert(rsp_prod != taken + n); /* an extra is missing */
            assert(RESPONSE(n).word0 == KIND && RESPONSE(n).word1 == GSO);
            n++
        :: else
        fi;
        if
        :: RESPONSE(0).word1 == GOOD + MORE || RESPONSE(0).word1 == GOOD + EXTRA + MORE ->
            assert(rsp_prod != taken + n); /* a slot is missing */
            assert(RESPONSE(n).word0 == (taken + n) % SLOTS && RESPONSE(n).word1 == GOOD);
            assert(page[(taken + n) % SLOTS] == page[taken % SLOTS]);
            n++
        :: else
        fi;
        /* All of a frame, and never one that was before. */
        assert(page[taken % SLOTS] > seen && slots_of[page[taken % SLOTS]] == n);
        seen = page[taken % SLOTS]
    fi;
    do
    :: n > 0 ->
        RESPONSE(0).word0 = 0;
        RESPONSE(0).word1 = 0;
        page[taken % SLOTS] = 0;
        taken++;
        n--
    :: else -> break
    od
}

active proctype guest()
{
    byte next;  /* buffers posted (req_prod_pvt) */
    byte taken; /* responses taken (rsp_cons) */
    byte seen;  /* the last frame */
    byte old, n;

    do
    :: d_step { next - taken < SLOTS -> /* [xennet_alloc_rx_buffers] */
        do
        :: next - taken < SLOTS ->
            ring[next % SLOTS].word0 = next % SLOTS;
            ring[next % SLOTS].word1 = REF + next % SLOTS;
            next++
        :: else -> break
        od;
        skip
    }
    PUSH
    :: front_pending -> front_pending = false; /* [xennet_poll] */
        do
        :: d_step {
            assert(rsp_prod >= taken && rsp_prod <= req_prod);
            do
            :: taken != rsp_prod -> take_frame()
            :: else -> break
            od;
            skip }
            rsp_event = taken + 1;
            if /* [RING_FINAL_CHECK_FOR_RESPONSES] */
            :: rsp_prod != taken
            :: else -> break
            fi
        od
    :: timeout ->
        /* Nobody can do anything any more. */
        assert(taken == rsp_prod && waiting == 0);
        break
    od
}

/* ---- where frames come from ------------------------------------------------------------------ */

active proctype source()
{
end_over:
    do
    :: d_step { came < FRAMES ->
        came++;
        fresh++;
        back_pending = back_pending || bound
    }
    od
}

#include "net_rx_back.pml"
