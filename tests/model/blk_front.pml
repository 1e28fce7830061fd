/* A stock block front end, what it has asked for, and what its answers must be. */

byte asked[SLOTS];        /* by id: the operation under way; 0: the id is free */
byte target[SLOTS];       /* by id: its sector */
byte posted[SECTORS];     /* the last write that was asked for */
byte writing[SECTORS], reading[SECTORS]; /* requests under way */

typedef promise {
    byte id; /* of the request in this slot */
    byte sector[SECTORS] /* of a flush: what must be durable when it is answered */
};
promise promised[SLOTS];

/* What must hold when the answer of the slot at the published index becomes visible. */
inline check_answer()
{
    d = promised[rsp_prod % SLOTS].id;
    assert(req_prod != rsp_prod);      /* it answers a request */
    assert(PERSISTENT || !mapped[d]);  /* blkif_completion disables the device otherwise */
    for (j : 0 .. COMMANDS - 1) {
        /* The page is the guest's again: no command may still touch it. */
        assert(disk[j].state != GIVEN || disk[j].op == FLUSH || disk[j].page != d);
    }
    if
    :: asked[d] == WRITE -> assert(cached[target[d]] == posted[target[d]])
    :: asked[d] == FLUSH ->
        for (j : 0 .. SECTORS - 1) {
            /* A write that was asked for later may be there too, or half of it. */
            assert(durable[j] == promised[rsp_prod % SLOTS].sector[j] ||
                   (posted[j] != promised[rsp_prod % SLOTS].sector[j] &&
                    (durable[j] == posted[j] || durable[j] == TORN)))
        }
    :: else
    fi;
    d = 0
}

/* ---- the guest: stock blkfront -------------------------------------------------------------- */

/* A request into the ring, not yet published [blkif_queue_rq]. */
#define POST(operation, at) \
    d_step { \
        id = 0; \
        do \
        :: asked[id] != 0 -> id++ \
        :: else -> break \
        od; \
        asked[id] = operation; \
        target[id] = at; \
        ring[next % SLOTS].word0 = operation; \
        ring[next % SLOTS].word1 = id; \
        ring[next % SLOTS].status = 0; \
        ring[next % SLOTS].sector = at; \
        ring[next % SLOTS].page = id; \
        promised[next % SLOTS].id = id; \
        if \
        :: operation == WRITE -> \
            writing[at] = 1; \
            writes++; \
            posted[at] = writes; \
            page[id] = writes \
        :: operation == READ -> \
            reading[at]++; \
            page[id] = TORN /* until it is read */ \
        :: else \
        fi; \
        for (j : 0 .. SECTORS - 1) { \
            promised[next % SLOTS].sector[j] = (operation == FLUSH -> posted[j] : 0) \
        } \
        next++; \
        id = 0; \
        j = 0 \
    }

/* Every response up to the published index [blkif_interrupt]. */
inline take_responses()
{
    assert(rsp_prod >= taken && rsp_prod <= req_prod);
    do
    :: taken != rsp_prod ->
        assert(ring[taken % SLOTS].word0 >= RSP);
        id = ring[taken % SLOTS].word0 - RSP;
        assert(id < SLOTS && asked[id] != 0);                    /* references a pending request */
        assert(ring[taken % SLOTS].word1 == RSP + asked[id]);    /* the right operation */
        assert(ring[taken % SLOTS].status == (asked[id] == DISCARD));
        if
        :: asked[id] == WRITE -> writing[target[id]] = 0
        :: asked[id] == READ ->
            reading[target[id]]--;
            assert(page[id] == posted[target[id]]) /* nothing acknowledged is lost */
        :: else
        fi;
        page[id] = 0;
        asked[id] = 0;
        target[id] = 0;
        ring[taken % SLOTS].word0 = 0;
        ring[taken % SLOTS].word1 = 0;
        ring[taken % SLOTS].status = 0;
        ring[taken % SLOTS].sector = 0;
        ring[taken % SLOTS].page = 0;
        id = 0;
        taken++
    :: else -> break
    od
}

active proctype guest()
{
    byte next;   /* requests written (req_prod_pvt) */
    byte taken;  /* responses taken (rsp_cons) */
    byte writes; /* each writes a value of its own */
    byte old, id, j;

    do
    :: atomic { next < REQUESTS && next - taken < SLOTS ->
        /* No file system has two requests for one sector under way if one is a write. */
        if
        :: !writing[0] && !reading[0] -> POST(WRITE, 0)
        :: !writing[0] -> POST(READ, 0)
#if SECTORS > 1
        :: !writing[1] && !reading[1] -> POST(WRITE, 1)
        :: !writing[1] -> POST(READ, 1)
#endif
        :: POST(FLUSH, 0)
        :: POST(DISCARD, 0)
        fi }
    PUSH
    :: front_pending -> front_pending = false;
        d_step { take_responses(); skip }
        do
        :: rsp_event = taken + 1;
            if /* [RING_FINAL_CHECK_FOR_RESPONSES] */
            :: d_step { taken != next && rsp_prod != taken -> take_responses(); skip }
            :: else -> break
            fi
        od
    :: taken == REQUESTS -> break
    od;
    /* All is answered, and what was written last is there. */
    for (j : 0 .. SECTORS - 1) {
        assert(cached[j] == posted[j])
    }
}
