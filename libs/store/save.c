/* The server's whole state, as items of the journal. */
#include <string.h>

#include "keep.h"

/* A record in parts behind `parts`; perms is room for its permissions. How many parts. */
static unsigned record_save(const struct record *r, struct keep_record *to,
                            uint32_t perms[PERMS_MAX], struct journal_part *parts)
{
    *to = (struct keep_record){.generation = r->generation,
                               .perm_count = r->perm_count,
                               .value_len = r->value_len,
                               .children_len = r->children_len};
    for (unsigned i = 0; i < r->perm_count; i++)
        perms[i] = r->perms[i].domid | (uint32_t)(uint8_t)r->perms[i].letter << 16;
    parts[0] = (struct journal_part){perms, r->perm_count * sizeof(*perms)};
    parts[1] = (struct journal_part){r->value, r->value_len};
    parts[2] = (struct journal_part){r->children, r->children_len};
    return 3;
}

static void node_save(const struct node *n, struct journal *j)
{
    uint32_t perms[PERMS_MAX];
    struct keep_node head = {.path_len = (uint32_t)n->entry.len};
    struct journal_part parts[5] = {{&head, sizeof(head)}, {n->path, n->entry.len}};

    (void)record_save(n->now, &head.record, perms, parts + 2);
    journal_add(j, KEEP_NODE, n->payer->domid, parts, 5);
}

/* The node that stands before one in its owner's list; NULL: it is the first. */
static struct node *owned_before(struct node *n)
{
    if (n->owned_link == &n->payer->owned)
        return NULL;
    return (struct node *)(void *)((char *)n->owned_link - offsetof(struct node, owned_next));
}

/* Lists that grow at their heads are told from their ends, so that loading them is adding. */
static void nodes_save(const struct store_domain *d, struct journal *j)
{
    struct node *n = d->owned;

    while (n && n->owned_next)
        n = n->owned_next;
    for (; n; n = owned_before(n))
        node_save(n, j);
}

/* ---- watches and events -----------------------------------------------------------------------
 */

static struct watch *watches_turn(struct watch *first)
{
    struct watch *turned = NULL;

    while (first) {
        struct watch *next = first->next_domain;

        first->next_domain = turned;
        turned = first;
        first = next;
    }
    return turned;
}

static void watches_save(struct store_domain *d, struct journal *j)
{
    struct watch *last = watches_turn(d->watches);

    for (const struct watch *w = last; w; w = w->next_domain) {
        struct keep_watch head = {.path_len = (uint32_t)w->at->entry.len,
                                  .token_len = (uint16_t)strlen(w->token),
                                  .relative = w->skip > 0,
                                  .overrun = w->overrun};
        const struct journal_part parts[] = {
            {&head, sizeof(head)}, {w->at->path, w->at->entry.len}, {w->token, head.token_len}};

        journal_add(j, KEEP_WATCH, d->domid, parts, 3);
    }
    d->watches = watches_turn(last);
}

static void events_save(const struct store_domain *d, struct journal *j)
{
    for (const struct event *e = d->event_first; e; e = e->next) {
        struct keep_event head = {.watch = KEEP_NO_WATCH, .path_len = (uint32_t)e->len};
        const struct journal_part parts[] = {{&head, sizeof(head)}, {e->path, e->len}};
        const struct watch *w = d->watches;

        if (e->watch) {
            for (head.watch = 0; w != e->watch; w = w->next_domain)
                head.watch++;
        }
        journal_add(j, KEEP_EVENT, d->domid, parts, 2);
    }
}

/* ---- transactions -----------------------------------------------------------------------------
 */

static void tx_node_save(const struct store_server *s, const struct store_domain *d,
                         const struct node *n, struct journal *j)
{
    uint32_t perms[2][PERMS_MAX];
    struct keep_tx_node head = {
        .path_len = (uint32_t)n->entry.len, .fire = (uint8_t)n->fire, .changed = n->changed};
    struct journal_part parts[JOURNAL_PARTS] = {{&head, sizeof(head)}, {n->path, n->entry.len}};
    const struct node *there = node_find(s, n->path, n->entry.len);
    unsigned count = 2;

    if (n->before)
        head.before = there && there->now == n->before ? KEEP_SAME : KEEP_OWN;
    if (n->now)
        head.now = n->now == n->before ? KEEP_SAME : KEEP_OWN;
    if (head.before == KEEP_OWN)
        count += record_save(n->before, &head.records[0], perms[0], parts + count);
    if (head.now == KEEP_OWN)
        count += record_save(n->now, &head.records[1], perms[1], parts + count);
    journal_add(j, KEEP_TX_NODE, d->domid, parts, count);
}

static void tx_save(const struct store_server *s, const struct store_domain *d, const struct tx *tx,
                    struct journal *j)
{
    struct keep_tx head = {.id = tx->id, .created = tx->created, .failed = tx->failed};
    const struct journal_part part = {&head, sizeof(head)};

    journal_add(j, KEEP_TX, d->domid, &part, 1);
    for (const struct map_entry *e = map_first(&tx->nodes); e; e = map_next(&tx->nodes, e))
        tx_node_save(s, d, (const struct node *)e, j);
}

static struct tx *txs_turn(struct tx *first)
{
    struct tx *turned = NULL;

    while (first) {
        struct tx *next = first->next;

        first->next = turned;
        turned = first;
        first = next;
    }
    return turned;
}

static void txs_save(const struct store_server *s, struct store_domain *d, struct journal *j)
{
    struct tx *last = txs_turn(d->transactions);

    for (const struct tx *tx = last; tx; tx = tx->next)
        tx_save(s, d, tx, j);
    d->transactions = txs_turn(last);
}

/* ---- all of it --------------------------------------------------------------------------------
 */

/* The tree comes before the transactions, which refer to it. */
void server_save(struct store_server *s, struct journal *j)
{
    for (struct store_domain *d = s->domains; d; d = d->next) {
        struct keep_domain head = {.tx_last = d->tx_last,
                                   .target = d->target,
                                   .introduced = d->introduced,
                                   .serves = d->serves};
        const struct journal_part part = {&head, sizeof(head)};

        journal_add(j, KEEP_DOMAIN, d->domid, &part, 1);
        nodes_save(d, j);
        watches_save(d, j);
        events_save(d, j);
    }
    for (struct store_domain *d = s->domains; d; d = d->next)
        txs_save(s, d, j);
}
