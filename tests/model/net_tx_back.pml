/* The back end of a transmit ring: one life after the other. Its loop stands at the end. */

/* Where a packet is; 0: there is none. */
#define TAKEN 1
#define LATE  2 /* a receiver lets it wait, or the sender may not send so fast */
#define DONE  3

typedef job {
    byte state;
    byte slots;
    bit extra; /* slot 1 is one */
};

inline job_free(at)
{
    jobs[at].state = 0;
    jobs[at].slots = 0;
    jobs[at].extra = 0
}

/* The core ends a domain: its port, and all that it knew. */
inline domain_reset()
{
    deaths++;
    bound = false;
    back_pending = false;
    for (n : 0 .. SLOTS - 1) {
        job_free(n)
    }
    n = 0;
    j = 0;
    consumed = 0;
    told = 0;
    flying = 0;
    first = 0;
    early = 0;
    tell = false;
    any = false;
    crowded = false;
    late = false;
    quiet = false;
    due = false
}

#define HAS_ROOM (flying < JOBS)
#define HEAD     ring[consumed % SLOTS]

/* Every slot is what was posted, and as many as that. */
inline check_packet(count)
{
    assert(slots_of[consumed % SLOTS] == count && req_prod - consumed >= count);
    for (n : 0 .. count - 1) {
        if
        :: extra_at[(consumed + n) % SLOTS] ->
            assert(ring[(consumed + n) % SLOTS].word0 == EXTRA);
            assert(ring[(consumed + n) % SLOTS].word1 == SIZE)
        :: else ->
            assert(ring[(consumed + n) % SLOTS].word0 == ring[(consumed + n) % SLOTS].id);
            assert(ring[(consumed + n) % SLOTS].word1 == ring[(consumed + n) % SLOTS].id)
        fi
    }
    n = 0
}

/* All packets that there is room for, each until its flags say that it ends [net_request_take]. */
inline queue_take()
{
    do
    :: req_prod != consumed && HAS_ROOM ->
        check_packet(1 + HEAD.extra + HEAD.more);
        jobs[consumed % SLOTS].state = TAKEN;
        jobs[consumed % SLOTS].slots = 1 + HEAD.extra + HEAD.more;
        jobs[consumed % SLOTS].extra = HEAD.extra;
        flying++;
        consumed = consumed + 1 + HEAD.extra + HEAD.more;
        any = any || MUTANT != NO_LAST_LOOK
    :: else -> break
    od
}

/* Its data has gone on: copied out of pages that are still the packet's [back_done]. */
inline packet_sent()
{
    jobs[j % SLOTS].state = DONE;
    sent[packet_of[j % SLOTS]] = true;
    for (n : 0 .. jobs[j % SLOTS].slots - 1) {
        assert(extra_at[(j + n) % SLOTS] ||
               page[ring[(j + n) % SLOTS].id] == packet_of[(j + n) % SLOTS])
    }
    n = 0
}

/* Of all that was taken, whatever can be sent now [net_back_next]. */
inline packets_send()
{
    late = false;
    j = rsp_prod;
    do
    :: j != consumed ->
        if
        :: STEP(if :: jobs[j % SLOTS].state != DONE -> packet_sent() :: else fi)
        :: jobs[j % SLOTS].state == TAKEN -> jobs[j % SLOTS].state = LATE; late = true
        fi;
        j = j + jobs[j % SLOTS].slots
    :: else -> break
    od;
    j = 0
}

/* The packet that is being answered, and the slot of it that is. */
#define ANSWERED jobs[first % SLOTS]
#define AT       ((first + n) % SLOTS)

/* The record outlives the domain [net_redo_write]. Its status and ids mean nothing here. */
#define VALID    STEP(tag = first + 1)
#define CONTENT  \
    STEP(r_slots = ANSWERED.slots); \
    STEP(r_extra = ANSWERED.extra && MUTANT != EXTRAS_LOST)
#if MUTANT == TAG_FIRST
#define RECORD   VALID; CONTENT
#else
#define RECORD   STEP(tag = 0); CONTENT; VALID
#endif

/* [ring_back_publish_many]. What nobody will believe any more is forgotten, for fewer states. */
inline publish(count)
{
    assert(slots_of[first % SLOTS] == count && req_prod - first >= count);
    assert(sent[packet_of[first % SLOTS]]);
    rsp_prod = first + count;
    r_slots = 0;
    r_extra = 0
}

#if MUTANT == SLOT_BY_SLOT
#define NEXT STEP(rsp_prod = first + n + 1; n++)
#else
#define NEXT n++
#endif

/* An extra keeps its kind, and other slots their id, behind what is written [answer_write]. */
inline body(count, has_extra)
{
    do
    :: n < count ->
        if
        :: has_extra && n == 1 && MUTANT != EXTRA_ANSWERED -> STEP(ring[AT].word1 = NULLED)
        :: else ->
            STEP(ring[AT].word0 = RSP + ring[AT].id);
            STEP(ring[AT].word1 = RSP)
        fi;
        NEXT
    :: else -> break
    od;
    n = 0
}

/* One packet's answer [net_tx_answer]. */
#define BODY  body(ANSWERED.slots, ANSWERED.extra)
#define INDEX STEP(publish(ANSWERED.slots))
#if MUTANT == RECORD_LATE
#define ANSWER atomic { BODY; RECORD; INDEX }
#elif MUTANT == INDEX_FIRST
#define ANSWER INDEX; RECORD; BODY
#elif MUTANT == SLOT_BY_SLOT
#define ANSWER RECORD; BODY
#else
#define ANSWER atomic { RECORD; BODY; INDEX }
#endif

active proctype back_end()
{
    byte deaths;

    /* What outlives a death: the record, its tag 0 or the index behind the one it names. */
    byte tag, r_slots;
    bit r_extra;

    /* What does not. */
    job jobs[SLOTS];  /* by ring index of their first slot */
    byte consumed;    /* slots taken (req_cons) */
    byte told;        /* rsp_prod at the last notify */
    byte flying;      /* jobs */
    byte first;
    bool tell;        /* an event is to be sent */
    bool any;         /* this round did something */
    bool crowded;        /* there was no room when the ring was looked at */
    bool late;        /* some job waits */
    bool quiet, due;  /* the front end is not told for a while; it has been long enough */
    byte early;       /* of a mutant */
    byte j, n;

life:
    atomic {
        /* [ring_back_attach] */
        STEP(assert(req_prod - rsp_prod <= SLOTS); consumed = rsp_prod; told = rsp_prod);
        if /* [redo_finish] */
        :: MUTANT != NO_RECORD && req_prod != consumed && tag == rsp_prod + 1 ->
            first = rsp_prod;
            body(r_slots, r_extra);
            STEP(publish(r_slots); consumed = rsp_prod; first = 0)
        :: else
        fi
    }
    /* [ports_bind, adopted]: a port that is bound starts pending. */
    STEP(bound = true; back_pending = true; tell = deaths > 0 && MUTANT != NO_EVENT);

round: /* [round_done] */
    STEP(any = MUTANT == RESTLESS; queue_take()); /* [net_back_take] */
    if /* [queue_rest] */
    :: req_prod != consumed -> any = any || HAS_ROOM; goto send
    :: else
    fi;
    STEP(req_event = consumed + 1);
    STEP(any = any || (MUTANT != NO_LAST_LOOK && req_prod != consumed && HAS_ROOM));
send:
    atomic {
        packets_send();
        STEP(crowded = !HAS_ROOM; early = (MUTANT == NO_BARRIER -> rsp_event : 0))
    }
    do /* [net_back_answer] */
    :: d_step { rsp_prod != consumed && jobs[rsp_prod % SLOTS].state == DONE -> first = rsp_prod }
        ANSWER;
        d_step { job_free(first % SLOTS); flying--; first = 0 }
    :: else -> break
    od;
    atomic {
        any = any || (crowded && HAS_ROOM && MUTANT != NO_LOOK_ROOM);
        crowded = false;
        if /* Small packets' answers may wait for company, for a while [queue_tell]. */
        :: STEP(notify(); quiet = false)
        :: rsp_prod != told && !due -> any = any || !quiet; quiet = true; early = 0
        fi;
        due = false;
        if
        :: any -> back_pending = false; goto round /* [event_next] */
        :: else
        fi
    }

    if /* [event_wait] */
    :: d_step { back_pending -> back_pending = false } goto round
    :: !back_pending -> STEP(events_send())
    fi;
end_asleep:
    if
    :: d_step { back_pending -> back_pending = false } goto round
    :: d_step { late || (quiet && MUTANT != QUIET_FOR_EVER) -> due = quiet } goto round
    :: DIE
    fi
}
