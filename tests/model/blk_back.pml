/* The back end: one life after the other. Its loop stands at the end. */

/* What a job waits for; 0: there is none. */
#define HELD   1 /* a flush: for those before it */
#define STAGED 2 /* to be given to the disk by the next kick */
#define FLYING 3
#define DONE   4

typedef job {
    byte state;
    byte id;
    byte op;
    byte sector;
    byte page;
    bit status
};

#if MUTANT == NO_RESET
#define COMMAND_OF(n) ((deaths % 2) * SLOTS + (n) % SLOTS)
#else
#define COMMAND_OF(n) ((n) % SLOTS)
#endif

inline job_free(at)
{
    jobs[at].state = 0;
    jobs[at].id = 0;
    jobs[at].op = 0;
    jobs[at].sector = 0;
    jobs[at].page = 0;
    jobs[at].status = 0
}

/*
 * The core ends a domain: its port, its mappings, all that it knew. What is sent
 * to a port from the death until then is lost as well.
 */
inline domain_reset()
{
    deaths++;
    bound = false;
    back_pending = false;
    for (j : 0 .. SLOTS - 1) {
        mapped[j] = false;
        job_free(j)
    }
    j = 0;
    consumed = 0;
    told = 0;
    ready = 0;
    batch = 0;
    early = 0;
    tell = false;
    any = false;
    busy = false
}

/* [nvme_stop, virtio_reset] */
inline device_reset()
{
    for (j : 0 .. COMMANDS - 1) {
        disk[j].state = 0;
        disk[j].op = 0;
        disk[j].sector = 0;
        disk[j].page = 0
    }
    j = 0
}

/* [disks_poll] */
inline poll()
{
    for (j : 0 .. SLOTS - 1) {
        if
        :: disk[COMMAND_OF(j)].state == FINISHED && jobs[j].state == FLYING ->
            disk[COMMAND_OF(j)].state = 0;
            disk[COMMAND_OF(j)].op = 0;
            disk[COMMAND_OF(j)].sector = 0;
            disk[COMMAND_OF(j)].page = 0;
            jobs[j].state = DONE;
            any = true
        :: else
        fi
    }
    j = 0
}

/* The first job that is not done goes to the disk, if it is a flush that waits for that. */
inline queue_submit_held()
{
    j = rsp_prod;
    do
    :: j != consumed && jobs[j % SLOTS].state == DONE -> j++
    :: else -> break
    od;
    if
    :: j != consumed && jobs[j % SLOTS].state == HELD -> jobs[j % SLOTS].state = STAGED
    :: else
    fi;
    j = 0
}

#define FIRST  jobs[rsp_prod % SLOTS]
#define SECOND jobs[(rsp_prod + 1) % SLOTS]

#if MUTANT == ANY_ORDER
#define SWAP(a, b) d = a; a = b; b = d
inline first_done_first()
{
    if
    :: consumed - rsp_prod > 1 && FIRST.state != DONE && SECOND.state == DONE ->
        SWAP(FIRST.state, SECOND.state);
        SWAP(FIRST.id, SECOND.id);
        SWAP(FIRST.op, SECOND.op);
        SWAP(FIRST.sector, SECOND.sector);
        SWAP(FIRST.page, SECOND.page);
        SWAP(FIRST.status, SECOND.status);
        SWAP(disk[rsp_prod % SLOTS].state, disk[(rsp_prod + 1) % SLOTS].state);
        SWAP(disk[rsp_prod % SLOTS].op, disk[(rsp_prod + 1) % SLOTS].op);
        SWAP(disk[rsp_prod % SLOTS].sector, disk[(rsp_prod + 1) % SLOTS].sector);
        SWAP(disk[rsp_prod % SLOTS].page, disk[(rsp_prod + 1) % SLOTS].page);
        d = 0
    :: else
    fi
}
#else
inline first_done_first() { skip }
#endif

/* How many can be answered [round_put]. */
inline round_put()
{
    first_done_first();
    do
    :: rsp_prod + ready != consumed && jobs[(rsp_prod + ready) % SLOTS].state == DONE -> ready++
    :: else -> break
    od
}

/* [blk_pages_unmap] */
inline unmap()
{
    for (j : 0 .. ready - 1) {
        mapped[jobs[(rsp_prod + j) % SLOTS].page] = PERSISTENT || MUTANT == UNMAPPED_LATE
    }
    j = 0
}

/* The slot that is being answered, and the one whose index was stored last. */
#if MUTANT == INDEX_FIRST
#define AT (rsp_prod - 1)
#elif MUTANT == BODIES_BATCHED
#define AT (rsp_prod + batch)
#else
#define AT rsp_prod
#endif
#define ANSWERED jobs[(AT) % SLOTS]
#define LAST     ((rsp_prod - 1) % SLOTS)

/* The record outlives the domain [redo_write]. */
#define VALID    STEP(tag = AT + 1)
#define CONTENT  \
    STEP(r_id = ANSWERED.id); \
    STEP(r_op = ANSWERED.op); \
    STEP(r_status = ANSWERED.status)
#if MUTANT == TAG_FIRST
#define RECORD   VALID; CONTENT
#else
#define RECORD   STEP(tag = 0); CONTENT; VALID
#endif

/* The two words of an answer [ring_back_answer]. */
#define BODY(id, op, result) \
    STEP(ring[(AT) % SLOTS].word0 = RSP + id); \
    STEP(ring[(AT) % SLOTS].word1 = RSP + op; ring[(AT) % SLOTS].status = result)
#define BODY_OF_JOB BODY(ANSWERED.id, ANSWERED.op, ANSWERED.status)

/* [ring_back_publish]. What nobody will believe any more is forgotten, for fewer states. */
#define PUBLISH check_answer(); rsp_prod++; r_id = 0; r_op = 0; r_status = 0

/* One answer [blk_queue_answer]. */
#if MUTANT == RECORD_LATE
#define ANSWER BODY_OF_JOB; RECORD; STEP(PUBLISH)
#elif MUTANT == INDEX_FIRST
#define ANSWER STEP(PUBLISH); RECORD; BODY_OF_JOB
#elif MUTANT == BODIES_BATCHED
#define ANSWER \
    do \
    :: batch < ready -> RECORD; BODY_OF_JOB; batch++ \
    :: else -> break \
    od; \
    STEP(do \
    :: batch > 1 -> PUBLISH; job_free(LAST); ready--; batch-- \
    :: else -> break \
    od; \
    batch = 0; PUBLISH)
#elif MUTANT == UNMAPPED_LATE
#define ANSWER \
    atomic { RECORD; BODY_OF_JOB; STEP(PUBLISH) } \
    STEP(mapped[jobs[LAST].page] = PERSISTENT)
#else
#define ANSWER atomic { RECORD; BODY_OF_JOB; STEP(PUBLISH) }
#endif

/* [job_take, jobs_submit]: what the back end does not know is answered at once. */
inline job_take()
{
    jobs[consumed % SLOTS].op = ring[consumed % SLOTS].word0;
    jobs[consumed % SLOTS].id = ring[consumed % SLOTS].word1;
    jobs[consumed % SLOTS].sector = ring[consumed % SLOTS].sector;
    jobs[consumed % SLOTS].page = ring[consumed % SLOTS].page;
    if
    :: ring[consumed % SLOTS].word0 == READ || ring[consumed % SLOTS].word0 == WRITE ->
        jobs[consumed % SLOTS].state = STAGED
    :: ring[consumed % SLOTS].word0 == FLUSH ->
        jobs[consumed % SLOTS].state = (MUTANT == FLUSH_AT_ONCE -> STAGED : HELD)
    :: else ->
        jobs[consumed % SLOTS].state = DONE;
        jobs[consumed % SLOTS].status = 1
    fi;
    consumed++
}

#define HAS_ROOM (consumed - rsp_prod < JOBS)

/* [round_take] */
inline round_take()
{
    assert(req_prod >= consumed && req_prod - rsp_prod <= SLOTS);
    do
    :: req_prod != consumed && HAS_ROOM ->
        job_take();
        any = any || MUTANT != NO_LAST_LOOK
    :: else -> break
    od
}

/* [blk_pages_map] */
inline map()
{
    for (j : 0 .. SLOTS - 1) {
        if
        :: jobs[j].state == STAGED && jobs[j].op != FLUSH -> mapped[jobs[j].page] = true
        :: else
        fi
    }
    j = 0
}

/* [disks_kick] */
inline kick()
{
    for (j : 0 .. SLOTS - 1) {
        if
        :: jobs[j].state == STAGED ->
            disk[COMMAND_OF(j)].state = GIVEN;
            disk[COMMAND_OF(j)].op = jobs[j].op;
            disk[COMMAND_OF(j)].sector = jobs[j].sector;
            disk[COMMAND_OF(j)].page = jobs[j].page;
            jobs[j].state = FLYING
        :: else
        fi
    }
    j = 0
}

active proctype back_end()
{
    byte deaths;

    /* What outlives a death: the record, its tag 0 or the index behind the one it names. */
    byte tag, r_id, r_op;
    bit r_status;

    /* What does not. */
    job jobs[SLOTS]; /* by ring index */
    byte consumed;   /* requests taken (req_cons) */
    byte told;       /* rsp_prod at the last notify */
    byte ready;      /* jobs that can be answered */
    bool tell;       /* an event is to be sent */
    bool any, busy;  /* this round did something; so did the last */
    byte early, batch; /* of mutants */
    byte j, d;

life:
    /* Nothing is replayed before the device has let go of the last life's commands. */
    atomic {
        STEP(if :: MUTANT != NO_RESET -> device_reset() :: else fi);
        /* [ring_back_attach] */
        STEP(
            assert(req_prod - rsp_prod <= SLOTS);
            consumed = (MUTANT == NO_REPLAY -> req_prod : rsp_prod);
            told = rsp_prod);
        if /* [redo_finish] */
        :: MUTANT != NO_RECORD && req_prod != consumed &&
           (tag == rsp_prod + 1 || (MUTANT == ANY_RECORD && tag != 0)) ->
            BODY(r_id, r_op, r_status);
            STEP(PUBLISH; consumed++)
        :: else
        fi
    }
    /* [ports_bind, blk_back_connect]: a port that is bound starts pending. */
    STEP(bound = true; back_pending = true; tell = deaths > 0 && MUTANT != NO_EVENT);

round: /* [round_done] */
    atomic {
        STEP(any = MUTANT == RESTLESS; poll(); queue_submit_held(); round_put());
        if
        :: ready > 0 -> STEP(unmap(); any = true; early = (MUTANT == NO_BARRIER -> rsp_event : 0))
        :: else -> goto take
        fi
    }
    do /* [blk_back_answer] */
    :: ready > 0 ->
        ANSWER;
        d_step { job_free(LAST); ready-- }
    :: else -> break
    od;
    STEP(notify());
take: /* [blk_back_take] */
    atomic {
        STEP(round_take());
        STEP(map(); queue_submit_held())
    }
    if /* [ring_back_rest] */
    :: req_prod != consumed -> any = any || HAS_ROOM; goto give
    :: else
    fi;
    STEP(req_event = consumed + 1);
    atomic {
        STEP(any = any || (MUTANT != NO_LAST_LOOK && req_prod != consumed && HAS_ROOM));
give:
        STEP(kick());
        if
        :: any ->
            if
            :: busy -> STEP(events_send())
            :: else -> busy = true
            fi;
            goto round
        :: else -> busy = false
        fi
    }

    if /* [event_wait] */
    :: d_step { back_pending -> back_pending = false } goto round
    :: !back_pending -> STEP(if :: MUTANT != EVENT_KEPT -> events_send() :: else fi)
    fi;
end_asleep:
    if
    :: d_step { back_pending -> back_pending = false } goto round
    :: DIE
    fi
}
