/*
 * Moves: hostile guests, the core's console and the service, one letter each.
 *
 *   o G N   guest G writes N bytes and tells      i G N   it takes N bytes of input
 *   p G V   moves its output index by V * 37      c G V   moves its input index by V * 37
 *   w G O V writes a byte of its page             m N V   after the N-th read of shared memory
 *   a G r   attaches G, or nobody                         by the service, that memory changes
 *   t N     N bytes are typed                     +/- G   the console of G comes or goes
 *   s r     the service works                     d       it dies and comes back
 *   k O V   writes a byte of what it leaves to its next life
 */
#include "con_hub.h"

#include <stdlib.h>

#include <rt/event.h>
#include <shm.h>

#include "rig.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const uint8_t *at, *end;
static unsigned reads_left;
static uint8_t mutation;

static uint8_t next(void)
{
    return at < end ? *at++ : 0;
}

static void mutate(void *context, void *shared, size_t len)
{
    (void)context;
    if (reads_left == 0 || --reads_left > 0)
        return;
    shm_hook_set(NULL);
    for (size_t i = 0; i < len; i++)
        ((uint8_t *)shared)[i] ^= mutation;
}

static const struct shm_hook hook = {.after_read = mutate};

static void tell(const struct rig_guest *g)
{
    fake_enter(g->domid);
    (void)hcall_event_send(&(struct evtchn_send){.port = g->port});
    fake_enter(RIG_SERVICE);
}

static void guest_move(uint8_t move, struct rig_guest *g, uint8_t value)
{
    switch (move) {
    case 'o':
        for (unsigned n = 0; n < value; n++)
            g->page->out[g->page->out_prod++ % sizeof(g->page->out)] = (char)n;
        break;
    case 'i': g->page->in_cons += value; break;
    case 'p': g->page->out_prod += value * 37u; break;
    case 'c': g->page->in_cons += value * 37u; break;
    case 'w': ((uint8_t *)g->page)[value * 13u % 3088u] = next(); break;
    case '+': (void)con_hub_add(&rig.hub, g->domid, value == '9' ? 99 : g->port); break;
    case '-': con_hub_remove(&rig.hub, g->domid); break;
    default: return;
    }
    tell(g);
}

static void typed(size_t n)
{
    while (n-- > 0 && rig.typed_len < sizeof(rig.typed))
        rig.typed[rig.typed_len++] = (char)n;
    rig.hub.input = true;
}

/* Indices, owners and positions; and histories, a byte in many. */
static void touch_keep(uint8_t offset, uint8_t value)
{
    uint8_t *bytes = (uint8_t *)&rig_keep;
    size_t where =
        offset < 64 ? offset : (size_t)offset % 64 + sizeof(rig_keep.clients[0]) * (offset / 64);

    bytes[where] = value;
}

/* The consoles that there were are there again. */
static void come_back(void)
{
    bool had[RIG_GUESTS] = {false};

    for (unsigned i = 0; i < CON_CLIENTS_MAX; i++)
        if (rig.hub.clients[i])
            had[(rig.hub.clients[i]->domid - 2u) % RIG_GUESTS] = true;
    rig_die();
    con_hub_init(&rig.hub, &rig_keep);
    for (unsigned i = 0; i < RIG_GUESTS; i++)
        if (had[i])
            (void)con_hub_add(&rig.hub, rig.guests[i].domid, rig.guests[i].port);
    con_hub_settle(&rig.hub);
}

static void move(uint8_t letter)
{
    uint8_t who;

    switch (letter) {
    case 's':
    case 'r': (void)rig_run(); break;
    case 't': typed(next()); break;
    case 'd': come_back(); break;
    case 'k':
        who = next();
        touch_keep(who, next());
        break;
    case 'm':
        reads_left = next();
        mutation = next();
        shm_hook_set(&hook);
        break;
    case 'a':
        who = next();
        rig.attached = who % 4 == 3 ? DOMID_INVALID : (domid_t)(2 + who % 4);
        rig.session++;
        rig.hub.input = true;
        break;
    default:
        who = next();
        guest_move(letter, &rig.guests[who % RIG_GUESTS], next());
        break;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    at = data;
    end = data + size;
    rig_start();
    while (at < end)
        move(next());
    shm_hook_set(NULL);
    if (rig_run() >= 1000)
        abort(); /* work without an end */
    rig_stop();
    if (fake_mappings(RIG_SERVICE) != 0)
        abort();
    return 0;
}
