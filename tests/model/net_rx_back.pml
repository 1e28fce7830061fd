/* The back end of a receive ring: one life after the other. Its loop stands at the end. */

typedef frame {
    byte number;
    byte slots;
    bit extra /* slot 1 is one */
};

inline frame_free(at)
{
    frames[at].number = 0;
    frames[at].slots = 0;
    frames[at].extra = 0
}

/* The core ends a domain: its port, and all that it had. */
inline domain_reset()
{
    deaths++;
    bound = false;
    back_pending = false;
    waiting = 0;
    for (n : 0 .. FRAMES - 1) {
        frame_free(n)
    }
    n = 0;
    have = 0;
    id = 0;
    consumed = 0;
    told = 0;
    first = 0;
    filled = 0;
    early = 0;
    tell = false;
    any = false;
    blocked = false
}

/* A frame to send, of any shape: with more slots or not, with an extra or not [net_rx_send]. */
#define RECEIVE(count, has_extra) \
    STEP( \
        frames[filled + waiting].number = came - fresh + 1; \
        frames[filled + waiting].slots = count; \
        frames[filled + waiting].extra = has_extra; \
        slots_of[came - fresh + 1] = count; \
        waiting++; \
        fresh--)

#define HEAD frames[filled]

/* Its buffers, which must be as they were posted [slots_take]. */
inline slots_take()
{
    for (n : 0 .. HEAD.slots - 1) {
        assert(ring[consumed % SLOTS].word0 == consumed % SLOTS);
        assert(ring[consumed % SLOTS].word1 == REF + consumed % SLOTS);
        consumed++
    }
    n = 0;
    filled++;
    waiting--;
    any = true
}

/* Frames get buffers in their order, or the front end is asked for an event [frame_fill]. */
inline frames_fill()
{
    blocked = false;
    do
    :: waiting > 0 && !blocked ->
        STEP(have = req_prod - consumed);
        if /* [ring_back_rest_until] */
        :: have < HEAD.slots ->
            STEP(req_event = consumed + (MUTANT == TOO_MANY -> SLOTS + 1 : HEAD.slots));
            STEP(have = (MUTANT == NO_LAST_LOOK -> have : req_prod - consumed))
        :: else
        fi;
        if
        :: d_step { have >= HEAD.slots -> slots_take(); have = 0 }
        :: else -> blocked = true; have = 0
        fi
    :: (waiting == 0 || blocked) && fresh > 0 ->
        if
        :: RECEIVE(1, 0)
        :: RECEIVE(2, 0)
        :: RECEIVE(2, 1)
        :: RECEIVE(3, 1)
        fi
    :: else -> break
    od;
    blocked = false
}

/* The buffers of extras stay empty [net_batch_run]. */
inline frames_copy()
{
    have = rsp_prod;
    for (id : 0 .. filled - 1) {
        for (n : 0 .. frames[id].slots - 1) {
            if
            :: frames[id].extra && n == 1
            :: else -> page[have % SLOTS] = frames[id].number
            fi;
            have++
        }
    }
    have = 0;
    id = 0;
    n = 0
}

/* The frame that is being answered, and a slot of it. */
#define ANSWERED frames[0]
#define AT(n)    ring[(first + n) % SLOTS]

/* The record outlives the domain [net_redo_write]. Its status means nothing here. */
#define VALID    STEP(tag = first + 1)
#define CONTENT  \
    STEP(r_slots = ANSWERED.slots); \
    STEP(r_extra = ANSWERED.extra); \
    STEP(r_id = (ANSWERED.extra -> (first + 1) % SLOTS : 0))
#if MUTANT == TAG_FIRST
#define RECORD   VALID; CONTENT
#else
#define RECORD   STEP(tag = 0); CONTENT; VALID
#endif

/* [ring_back_publish_many]. What nobody will believe any more is forgotten, for fewer states. */
inline publish(count)
{
    assert(req_prod - first >= count);
    rsp_prod = first + count;
    r_slots = 0;
    r_extra = 0;
    r_id = 0
}

#if MUTANT == SLOT_BY_SLOT
#define PART STEP(rsp_prod = first + 1)
#else
#define PART skip
#endif

/* Slots of data, then the extra, which has no id [answer_good, extras_write]. */
inline body()
{
    STEP(AT(0).word0 = first % SLOTS);
    STEP(AT(0).word1 = GOOD + EXTRA * ANSWERED.extra +
                       MORE * (ANSWERED.slots > 1 + ANSWERED.extra));
    PART;
    if
    :: ANSWERED.slots > 1 + ANSWERED.extra ->
        STEP(AT(ANSWERED.slots - 1).word0 = (first + ANSWERED.slots - 1) % SLOTS);
        STEP(AT(ANSWERED.slots - 1).word1 = GOOD)
    :: else
    fi;
    if
    :: ANSWERED.extra ->
        STEP(AT(1).word0 = KIND);
        STEP(AT(1).word1 = GSO)
    :: else
    fi
}

/* The references are lost, the ids are not: all of the frame comes back [answer_error]. */
inline body_of_errors()
{
    do
    :: n < r_slots ->
        STEP(id = (r_extra && n == 1 && MUTANT != IDS_LOST -> r_id : AT(n).word0));
        STEP(AT(n).word0 = id; id = 0);
        STEP(AT(n).word1 = (MUTANT == GOOD_AGAIN -> GOOD : ERROR));
        n++
    :: else -> break
    od;
    n = 0
}

/* One frame's answer [frame_answer]. */
#define INDEX STEP(publish(ANSWERED.slots))
#if MUTANT == RECORD_LATE
#define ANSWER atomic { body(); RECORD; INDEX }
#elif MUTANT == INDEX_FIRST
#define ANSWER INDEX; RECORD; body()
#elif MUTANT == SLOT_BY_SLOT
#define ANSWER RECORD; body(); INDEX
#else
#define ANSWER atomic { RECORD; body(); INDEX }
#endif

inline frames_shift()
{
    for (n : 1 .. FRAMES - 1) {
        frames[n - 1].number = frames[n].number;
        frames[n - 1].slots = frames[n].slots;
        frames[n - 1].extra = frames[n].extra
    }
    frame_free(FRAMES - 1);
    n = 0;
    filled--
}

active proctype back_end()
{
    byte deaths;

    /* What outlives a death: the record, its tag 0 or the index behind the one it names. */
    byte tag, r_slots, r_id;
    bit r_extra;

    /* What does not. */
    frame frames[FRAMES]; /* the filled ones, then those that wait */
    byte filled;
    byte consumed; /* buffers taken (req_cons) */
    byte told;     /* rsp_prod at the last notify */
    byte first;
    byte have;
    bool tell;     /* an event is to be sent */
    bool any;      /* this round did something */
    bool blocked;  /* the first frame that waits must wait on */
    byte early;    /* of a mutant */
    byte n, id;

life:
    atomic {
        /* What the card had is lost. [ring_back_attach] */
        STEP(fresh = 0);
        STEP(assert(req_prod - rsp_prod <= SLOTS); consumed = rsp_prod; told = rsp_prod);
        if /* [redo_finish] */
        :: MUTANT != NO_RECORD && req_prod != consumed && tag == rsp_prod + 1 ->
            first = rsp_prod;
            body_of_errors();
            STEP(publish(r_slots); consumed = rsp_prod; first = 0)
        :: else
        fi
    }
    /* [ports_bind, adopted]: a port that is bound starts pending. */
    STEP(bound = true; back_pending = true; tell = deaths > 0 && MUTANT != NO_EVENT);

round: /* [round_done] */
    any = MUTANT == RESTLESS;
    frames_fill(); /* [net_rx_retry, net_rx_send] */
    if
    :: filled > 0 -> STEP(frames_copy(); early = (MUTANT == NO_BARRIER -> rsp_event : 0))
    :: else
    fi;
    do /* [net_rx_flush] */
    :: filled > 0 ->
        first = rsp_prod;
        ANSWER;
        d_step { frames_shift(); first = 0 }
    :: else -> break
    od;
    if
    :: rsp_prod != told -> STEP(notify()) /* [queue_tell] */
    :: else
    fi;
    if
    :: d_step { any -> any = false; back_pending = false } goto round /* [event_next] */
    :: else
    fi;

    if /* [event_wait] */
    :: d_step { back_pending -> back_pending = false } goto round
    :: !back_pending -> STEP(events_send())
    fi;
end_asleep:
    if
    :: d_step { back_pending -> back_pending = false } goto round
    :: DIE
    fi
}
