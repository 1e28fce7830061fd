/* The owner's side of grants: the table shared with the guest, and who uses what of it. */
#include "domain/domain.h"
#include "domain/share.h"
#include "grant/grant.h"
#include "mm/frame.h"
#include "mm/heap.h"

/* Entries change under our hands: the guest may rewrite one between look and mark. */
#define PIN_TRIES 4

/* Flags and domain id share one word, so that both are checked and marked in one step. */
union entry_word {
    uint32_t word;
    struct {
        uint16_t flags;
        uint16_t domid;
    };
};

_Static_assert(offsetof(struct grant_entry_v1, flags) == 0, "flags");
_Static_assert(offsetof(struct grant_entry_v1, domid) == 2, "domid");

static struct grant_entry_v1 *entry_of(const struct grant_table *t, uint32_t ref)
{
    return &t->entry[ref / GRANT_PER_FRAME][ref % GRANT_PER_FRAME];
}

static uint32_t *word_of(const struct grant_table *t, uint32_t ref)
{
    return (uint32_t *)(void *)entry_of(t, ref);
}

static struct grant_active *active_of(const struct grant_table *t, uint32_t ref)
{
    return &t->active[ref / GRANT_PER_FRAME][ref % GRANT_PER_FRAME];
}

/*
 * An entry for each page that the domain may have is enough for it: small domains
 * cannot make the core spend much on them.
 */
unsigned grant_frames_max(const struct domain *d)
{
    uint64_t most = 1 + d->frames_max / GRANT_PER_FRAME;

    return most < d->grants->frames_max ? (unsigned)most : d->grants->frames_max;
}

/* The lock is held, or the domain is not known to anyone yet. */
static int grow(struct domain *d, unsigned frames)
{
    struct grant_table *t = d->grants;

    if (frames > grant_frames_max(d))
        return -XEN_EINVAL;
    while (t->frames < frames) {
        t->entry[t->frames] = pool_alloc(0);
        t->active[t->frames] = pool_alloc(GRANT_ACTIVE_ORDER);
        if (!t->entry[t->frames] || !t->active[t->frames]) {
            pool_free(t->entry[t->frames], 0);
            pool_free(t->active[t->frames], GRANT_ACTIVE_ORDER);
            return -XEN_ENOMEM;
        }
        t->gfn[t->frames] = (gfn_t){FRAME_NONE};
        t->frames++;
    }
    return 0;
}

int grant_init(struct domain *d, unsigned frames_max)
{
    d->grants = heap_alloc(sizeof(*d->grants));
    if (!d->grants)
        return -XEN_ENOMEM;
    lock_init(&d->grants->lock, LOCK_GRANT);
    d->grants->frames_max = frames_max ? frames_max : 1;
    return grow(d, 1);
}

void grant_free(struct domain *d)
{
    struct grant_table *t = d->grants;

    if (!t)
        return;
    for (unsigned i = 0; i < t->frames; i++) {
        pool_free(t->entry[i], 0);
        pool_free(t->active[i], GRANT_ACTIVE_ORDER);
    }
    for (unsigned i = 0; i < t->handles / GRANT_HANDLES_PAGE; i++)
        pool_free(t->mapping[i], 0);
    heap_free(t);
    d->grants = NULL;
}

int grant_grow(struct domain *d, unsigned frames)
{
    LOCK_SCOPE(&d->grants->lock);
    return grow(d, frames);
}

void *grant_frame(struct domain *d, unsigned index)
{
    return index < d->grants->frames ? d->grants->entry[index] : NULL;
}

int grant_seed(struct domain *d, uint32_t ref, uint16_t peer, uint64_t gfn)
{
    struct grant_table *t = d->grants;

    LOCK_SCOPE(&t->lock);
    if (ref >= t->frames * GRANT_PER_FRAME || gfn > UINT32_MAX)
        return -XEN_EINVAL;
    entry_of(t, ref)->frame = (uint32_t)gfn;
    __atomic_store_n(word_of(t, ref),
                     (union entry_word){.flags = GTF_permit_access, .domid = peer}.word,
                     __ATOMIC_RELEASE);
    return 0;
}

/* Marks the guest's entry as used, if it allows the use. The lock is held. */
static int16_t mark(struct grant_table *t, uint32_t ref, uint16_t user, bool readonly)
{
    uint32_t *shared = word_of(t, ref);
    union entry_word old = {.word = __atomic_load_n(shared, __ATOMIC_ACQUIRE)};

    for (unsigned tries = 0; tries < PIN_TRIES; tries++) {
        union entry_word used = old;

        if ((old.flags & GTF_type_mask) != GTF_permit_access || (old.flags & GTF_sub_page) ||
            old.domid != user)
            return GNTST_general_error;
        if (!readonly && (old.flags & GTF_readonly))
            return GNTST_general_error;
        used.flags |= (uint16_t)(GTF_reading | (readonly ? 0 : GTF_writing));
        if (__atomic_compare_exchange_n(shared, &old.word, used.word, false, __ATOMIC_ACQ_REL,
                                        __ATOMIC_ACQUIRE))
            return GNTST_okay;
    }
    return GNTST_eagain;
}

/* Takes back the marks that no user stands behind any more. The lock is held. */
static void unmark(struct grant_table *t, uint32_t ref)
{
    const struct grant_active *active = active_of(t, ref);
    uint16_t *flags = (uint16_t *)(void *)word_of(t, ref);
    uint16_t gone = 0;

    if (active->writers == 0)
        gone |= GTF_writing;
    if (active->writers == 0 && active->readers == 0)
        gone |= GTF_reading;
    if (gone)
        __atomic_fetch_and(flags, (uint16_t)~gone, __ATOMIC_RELEASE);
}

static int16_t pin(struct domain *owner, uint32_t ref, uint16_t user, bool readonly, mfn_t *frame)
{
    struct grant_table *t = owner->grants;

    LOCK_SCOPE(&t->lock);
    if (owner->dying || ref >= t->frames * GRANT_PER_FRAME)
        return GNTST_bad_gntref;
    int16_t status = mark(t, ref, user, readonly);
    if (status != GNTST_okay)
        return status;
    struct grant_active *active = active_of(t, ref);
    if (active->readers == 0 && active->writers == 0) {
        /* Read once, after the entry was marked: from now on this is what it means. */
        uint32_t gfn = __atomic_load_n(&entry_of(t, ref)->frame, __ATOMIC_RELAXED);

        active->frame = p2m_get(&owner->p2m, (gfn_t){gfn}, P2M_OWN);
        if (mfn_is_none(active->frame)) {
            unmark(t, ref);
            return GNTST_bad_page;
        }
    }
    *(readonly ? &active->readers : &active->writers) += 1;
    *frame = active->frame;
    return GNTST_okay;
}

void grant_release(const struct grant_use *use)
{
    if (!use->owner) {
        frame_put(use->frame);
        return;
    }
    struct grant_table *t = use->owner->grants;
    struct grant_active *active = active_of(t, use->ref);

    lock_acquire(&t->lock);
    *(use->readonly ? &active->readers : &active->writers) -= 1;
    bool last = active->readers == 0 && active->writers == 0;
    unmark(t, use->ref);
    lock_release(&t->lock);
    if (last)
        frame_put(use->frame);
    domain_put(use->owner);
}

int16_t grant_acquire(struct domain *user, uint16_t domid, uint32_t ref, bool readonly,
                      struct grant_use *use)
{
    *use = (struct grant_use){
        .owner = domain_get(domid == DOMID_SELF ? user->id : domid),
        .ref = ref,
        .readonly = readonly,
    };
    if (!use->owner)
        return GNTST_bad_domain;
    int16_t status = share_is_allowed(user, use->owner)
                         ? pin(use->owner, ref, user->id, readonly, &use->frame)
                         : GNTST_permission_denied;
    if (status != GNTST_okay)
        domain_put(use->owner);
    return status;
}

uint64_t grant_pool_bytes(const struct domain *d)
{
    const struct grant_table *t = d->grants;

    return ((uint64_t)t->frames * (1 + (1u << GRANT_ACTIVE_ORDER)) +
            t->handles / GRANT_HANDLES_PAGE)
           << PAGE_SHIFT;
}
