#include "grant/moves.h"

#include "check.h"
#include "fake_domain.h"

#include "grant/grant.h"

static void fill(uint8_t *bytes, size_t len, uint64_t seed)
{
    for (size_t i = 0; i < len; i++) {
        seed = seed * 6364136223846793005ull + 1442695040888963407ull;
        bytes[i] = (uint8_t)(seed >> 56);
    }
}

TEST(random_moves_keep_pages_and_marks_right)
{
    uint8_t bytes[1024];

    for (uint64_t seed = 1; seed <= 200; seed++) {
        fill(bytes, sizeof(bytes), seed);
        grant_moves(bytes, sizeof(bytes));
    }
}

/* A small domain cannot make the core spend more on its grants than its memory asks for. */
TEST(tables_are_no_longer_than_memory_asks_for)
{
    struct domain *d = &fake_domain[0];
    struct gnttab_map_grant_ref op = {.flags = GNTMAP_host_map, .dom = 0};
    unsigned mapped = 0;

    fake_domains();
    EXPECT(grant_frames_max(d) == 1 && grant_grow(d, 2) == -XEN_EINVAL);
    d->frames_max = 2 * GRANT_PER_FRAME;
    EXPECT(grant_frames_max(d) == 3 && grant_grow(d, 3) == 0 && grant_grow(d, 4) == -XEN_EINVAL);
    d->frames_max = 1000 * GRANT_PER_FRAME;
    EXPECT(grant_frames_max(d) == 4 && grant_grow(d, 5) == -XEN_EINVAL);

    d->frames_max = 4 * FAKE_DOMAIN_PAGES;
    EXPECT(grant_seed(d, 1, d->id, 1) == 0);
    do {
        op.ref = 1;
        op.host_addr = (uint64_t)(0x10000 + mapped) << PAGE_SHIFT;
        grant_map(d, &op);
    } while (op.status == GNTST_okay && ++mapped < 2 * GRANT_HANDLES_ANY);
    EXPECT(op.status == GNTST_no_space && mapped <= GRANT_HANDLES_ANY + d->frames_max);
    EXPECT(mapped > GRANT_HANDLES_ANY / 2);
    fake_domains_end();
}
