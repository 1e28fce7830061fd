/* What an AMD-Vi unit keeps: AMD I/O Virtualization Technology specification, section 2.2. */
#include "iommu/fake_kept.h"

#include <string.h>

#include "check.h"

#include "iommu/fake_units.h"

#define LEAF_RESERVED  (0x7full << 52 | 1ull << 63)
#define TABLE_RESERVED (0x1ffull << 52 | 1ull << 63)
#define TABLE_SIZE     0x1ffull
#define DEVICE_LEN     32u
#define ENTRY_TABLE    0x000fffffffffffc0ull

#define WHICH_MANY   (1ull << 0)
#define WHICH_TABLES (1ull << 1)

static uint64_t word(const struct kept *k, uint64_t address)
{
    return fake_word(address, k->coherent);
}

const struct kept_device *kept_device(struct kept *k, uint64_t table, uint16_t bdf)
{
    struct kept_device *d = &k->device[bdf % KEPT_BDFS];

    if (bdf * DEVICE_LEN >= ((table & TABLE_SIZE) + 1) * PAGE_SIZE)
        return NULL;
    EXPECT(bdf < KEPT_BDFS);
    for (unsigned i = 0; i < 4 && !d->known; i++)
        d->word[i] = word(k, (table & KEPT_ADDRESS) + bdf * DEVICE_LEN + i * 8);
    d->known = true;
    return d;
}

/* ---- pages ------------------------------------------------------------------------------- */

/* What is kept of a level, or room for it. */
static struct kept_step *step_at(struct kept *k, uint64_t owner, uint64_t prefix, unsigned level)
{
    struct kept_step *room = NULL;

    for (struct kept_step *s = k->step; s < k->step + KEPT_STEPS; s++) {
        if (s->level == level && s->owner == owner && s->prefix == prefix)
            return s;
        room = s->level ? room : s;
    }
    CHECK(room);
    return room;
}

/* An entry that ends the walk, and its level; false: a bit is set that may not be. */
static bool leaf_take(uint64_t e, unsigned level, struct kept_page *page)
{
    uint64_t inside = (1ull << 9 * (level - 1)) - 1;
    uint64_t first = (e & KEPT_ADDRESS) >> PAGE_SHIFT;

    page->mfn = first + (page->gfn & inside);
    return !(e & LEAF_RESERVED) && !(first & inside);
}

/* Down the tables from level 4, the rights of all entries together; false: a reserved bit. */
static bool walk(struct kept *k, uint64_t table, struct kept_page *page)
{
    page->rights = KEPT_RIGHT_READ | KEPT_RIGHT_WRITE;
    for (unsigned level = 4; level > 0 && page->rights; level--) {
        uint64_t prefix = page->gfn >> 9 * (level - 1);
        struct kept_step *s = step_at(k, page->owner, prefix, level);

        if (s->level == 0) {
            uint64_t e = word(k, table + 8 * (prefix & 511));
            unsigned next = (unsigned)(e >> 9) & 7;

            if (!(e & 1) || next == 0) {
                page->rights &= e & 1 ? KEPT_RIGHTS(e) : 0;
                return page->rights == 0 || leaf_take(e, level, page);
            }
            /* Levels may be passed over where the address has zeros; nobody here does. */
            if ((e & TABLE_RESERVED) || next != level - 1)
                return false;
            *s = (struct kept_step){page->owner, prefix, e & KEPT_ADDRESS, level, KEPT_RIGHTS(e)};
        }
        page->rights &= s->rights;
        table = s->table;
    }
    return true;
}

const struct kept_page *kept_page(struct kept *k, const struct kept_device *d, uint64_t gfn,
                                  bool *reserved)
{
    struct kept_page found = {.owner = d->word[1] & 0xffff, .gfn = gfn}, *room = NULL;

    for (struct kept_page *p = k->page; p < k->page + KEPT_PAGES; p++) {
        if (p->known && p->owner == found.owner && p->gfn == gfn)
            return p->rights ? p : NULL;
        room = p->known ? room : p;
    }
    CHECK(room);
    *reserved = !walk(k, d->word[0] & KEPT_ADDRESS, &found);
    if (*reserved)
        return NULL;
    found.known = found.rights || k->absent;
    *room = found;
    return found.rights ? room : NULL;
}

/* ---- interrupts -------------------------------------------------------------------------- */

uint32_t kept_entry(struct kept *k, uint64_t table, uint16_t bdf, uint16_t index)
{
    uint64_t at = (table & ENTRY_TABLE) + 4ull * index;
    struct kept_entry *room = NULL;

    for (struct kept_entry *e = k->entry; e < k->entry + KEPT_ENTRIES; e++) {
        if (e->known && e->bdf == bdf && e->index == index)
            return e->value;
        room = e->known ? room : e;
    }
    CHECK(room);
    *room = (struct kept_entry){bdf, index, (uint32_t)(word(k, at & ~7ull) >> 8 * (at & 4)), true};
    return room->value;
}

/* ---- commands ---------------------------------------------------------------------------- */

void kept_forget_device(struct kept *k, uint16_t bdf)
{
    EXPECT(bdf < KEPT_BDFS);
    k->device[bdf % KEPT_BDFS].known = false;
}

void kept_forget_entries(struct kept *k, uint16_t bdf)
{
    for (struct kept_entry *e = k->entry; e < k->entry + KEPT_ENTRIES; e++)
        if (e->bdf == bdf)
            e->known = false;
}

static bool is_near(uint64_t a, uint64_t b, unsigned order)
{
    return order > 51 || a >> order == b >> order;
}

/* Of many pages, the lowest bit that is 0 tells how many: an aligned power of two. */
void kept_forget_pages(struct kept *k, uint64_t owner, uint64_t which)
{
    uint64_t gfn = which >> PAGE_SHIFT;
    unsigned order = 0;

    if (which & WHICH_MANY)
        while (gfn >> order++ & 1)
            ;
    for (struct kept_page *p = k->page; p < k->page + KEPT_PAGES; p++)
        if (p->known && p->owner == owner && is_near(p->gfn, gfn, order)) {
            fake_forgets(p->rights ? p->mfn : FRAME_NONE);
            p->known = false;
        }
    for (struct kept_step *s = k->step; s < k->step + KEPT_STEPS; s++) {
        unsigned shift = s->level ? 9 * (s->level - 1) : 0;

        if (which & WHICH_TABLES && s->owner == owner &&
            is_near(s->prefix << shift, gfn, order > shift ? order : shift))
            s->level = 0;
    }
}

void kept_forget_all(struct kept *k)
{
    memset(k->device, 0, sizeof(k->device));
    memset(k->step, 0, sizeof(k->step));
    memset(k->page, 0, sizeof(k->page));
    memset(k->entry, 0, sizeof(k->entry));
}
