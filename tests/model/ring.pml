/* What rings have in common: indices, events, and deaths between any two steps. */

byte req_prod, rsp_prod;
byte req_event = 1, rsp_event = 1;

/* Whether an index that moves passes what the peer waits for [ring_passes]. */
#define PASSES(from, to, event) (event > from && event <= to)

/* What a response wrote, as opposed to a request. */
#define RSP 64

bool bound;        /* the channel has two ends; what is sent to one alone is dropped */
bool back_pending; /* an event, or a device's interrupt */
bool front_pending;

/*
 * The front end publishes what it has written, `next` being its own index
 * [RING_PUSH_REQUESTS_AND_CHECK_NOTIFY].
 */
#define PUSH \
    :: d_step { next != req_prod -> \
        old = req_prod; \
        req_prod = next \
    } \
    if \
    :: d_step { PASSES(old, next, req_event) -> old = 0 } \
        back_pending = back_pending || bound \
    :: else -> old = 0 \
    fi

/*
 * One step of the back end; the domain may die instead, and be followed by
 * another. Where several steps stand in one atomic sequence, no other process
 * looks at what they write before the last one, so that its steps between them
 * would change nothing: but deaths do.
 */
#define DIE       d_step { deaths < DEATHS -> domain_reset() } goto life
#define STEP(...) if :: d_step { __VA_ARGS__; skip } :: DIE fi

/* The front end hears of what it was to be told of [tell_and_sleep, event_flush]. */
inline events_send()
{
    front_pending = front_pending || tell;
    tell = false
}

/*
 * Whether it is to be told of what was published since the last time; it hears
 * of that later [ring_back_notify, event_notify].
 */
inline notify()
{
    tell = tell || PASSES(told, rsp_prod, (MUTANT == NO_BARRIER -> early : rsp_event));
    told = rsp_prod;
    early = 0
}
