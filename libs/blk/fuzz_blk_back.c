/*
 * Moves: a hostile front end, the disk and the back end, one letter each.
 *
 *   q OP N S P FL   a request: operation, segments, sector, first page, sectors of each
 *   i OP N S P      an indirect one, its list in page P as it lies there
 *   l P R FL        writes a segment into page P: reference, sectors
 *   d S N           a discard
 *   k               publishes what was asked
 *   w O V           writes a byte of the ring page
 *   p N             moves the published index by N
 *   m N V           after the N-th read of shared memory, that memory changes
 *   g               the back end runs
 *   h b s f         the disk holds, goes backwards, does one, fails one
 *   a               the front end takes answers
 *   x               disconnects and connects again
 *   z               the back end dies, its successor adopts
 */
#include "blk_back.h"

#include <shm.h>

#include "rig.h"

static struct rig rig;
static const uint8_t *at, *end;
static unsigned reads_left;
static uint8_t mutation;

static uint8_t next(void)
{
    return at < end ? *at++ : 0;
}

/* The hostile peer changes what was just read. */
static void mutate(void *context, void *shared, size_t len)
{
    (void)context;
    /* The redo record is ours; a second look at it in the same run is not a peer's doing. */
    if (fake_current() != RIG_BACK || reads_left == 0 || --reads_left > 0 || shared == rig.redo)
        return;
    shm_hook_set(NULL);

    /* A page of a request may be mapped read-only: the peer writes it at its own address. */
    size_t offset = (size_t)((uint8_t *)shared - rig.back.pages.space);

    if (offset < (size_t)BLK_PAGES_MAX * PAGE_SIZE)
        shared =
            (uint8_t *)(uintptr_t)rig.back.pages.pages[offset / PAGE_SIZE].dma + offset % PAGE_SIZE;
    for (size_t i = 0; i < len; i++)
        ((uint8_t *)shared)[i] ^= mutation;
}

static const struct shm_hook hook = {.after_read = mutate};

static struct blkif_request_segment segment(uint8_t page, uint8_t sectors)
{
    return (struct blkif_request_segment){RIG_REF(page % 100u), sectors >> 4, sectors & 15};
}

static void move_request(void)
{
    struct blkif_request_segment s[BLKIF_MAX_SEGMENTS_PER_REQUEST];
    uint8_t operation = next(), count = next(), sector = next(), page = next(), sectors = next();

    if (blk_front_room(&rig.front[0]) == 0)
        return;
    for (uint8_t i = 0; i < BLKIF_MAX_SEGMENTS_PER_REQUEST; i++)
        s[i] = segment((uint8_t)(page + i), sectors);
    blk_front_transfer(&rig.front[0], (uint64_t)(end - at), operation % 10,
                       sector == 255 ? UINT64_MAX - 3 : sector * 17ull, s, count);
}

static void move_indirect(void)
{
    uint8_t operation = next(), count = next(), sector = next(), page = next();

    if (blk_front_room(&rig.front[0]) > 0)
        blk_front_indirect(&rig.front[0], 1, operation % 3, sector * 8ull, RIG_REF(page % 100u),
                           count);
}

static void move_list(void)
{
    uint8_t page = next() % RIG_PAGES, ref = next(), sectors = next();
    static unsigned slot;

    ((struct blkif_request_segment *)rig_page(&rig, page))[slot++ % 512] = segment(ref, sectors);
}

static void move_ring(void)
{
    uint8_t *ring = rig.front[0].ring.page;
    uint16_t offset = (uint16_t)(next() | next() << 8);

    ring[offset % (PAGE_SIZE * 2)] = next();
}

static void move_index(void)
{
    struct ring_header *h = rig.front[0].ring.page;

    h->req_prod += next();
    if (h->req_prod - rig.front[0].ring.rsp_cons <= rig.front[0].ring.count)
        rig.front[0].ring.req_prod = rig.front[0].ring.told = h->req_prod;
}

static void take_answers(void)
{
    struct blkif_response r;

    (void)fake_enter(RIG_GUEST);
    for (unsigned i = 0; i < 64 && blk_front_answer(&rig.front[0], &r) == 1; i++)
        if (r.status > BLKIF_RSP_OKAY || r.status < BLKIF_RSP_EOPNOTSUPP)
            abort();
}

static void finish_disk(void)
{
    rig.ram.hold = false;
    (void)ramdisk_poll(&rig.ram.disk);
}

static void disconnect(void)
{
    (void)fake_enter(RIG_BACK);
    finish_disk();
    if (!blk_back_is_drained(&rig.back))
        abort();
    blk_back_disconnect(&rig.back);
    if (fake_mappings(RIG_BACK) != 0 || rig.back.pages.unmap_failures != 0)
        abort();
}

static void move_reconnect(void)
{
    disconnect();
    rig.link.persistent = !rig.link.persistent;
    (void)rig_connect(&rig, false);
}

static void move_die(void)
{
    fake_domain_reset(RIG_BACK);
    rig_make_back(&rig);
    rig.ram.waiting = NULL;
    (void)rig_connect(&rig, true);
}

static void run(void)
{
    (void)fake_enter(RIG_BACK);
    (void)ramdisk_poll(&rig.ram.disk);
    for (unsigned i = 0; i < 8; i++) {
        (void)blk_back_answer(&rig.back);
        (void)blk_back_take(&rig.back);
    }
}

static void step(uint8_t move)
{
    switch (move) {
    case 'q': move_request(); break;
    case 'i': move_indirect(); break;
    case 'l': move_list(); break;
    case 'd':
        if (blk_front_room(&rig.front[0]) > 0)
            blk_front_discard(&rig.front[0], 2, next() * 17ull, next() * 8ull);
        break;
    case 'k': blk_front_kick(&rig.front[0]); break;
    case 'w': move_ring(); break;
    case 'p': move_index(); break;
    case 'm':
        reads_left = next();
        mutation = next();
        shm_hook_set(&hook);
        break;
    case 'g': run(); break;
    case 'h': rig.ram.hold = !rig.ram.hold; break;
    case 'b': rig.ram.backwards = !rig.ram.backwards; break;
    case 's': (void)ramdisk_step(&rig.ram); break;
    case 'f': rig.ram.fail_next = 1; break;
    case 'a': take_answers(); break;
    case 'x': move_reconnect(); break;
    case 'z': move_die(); break;
    default: break;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    at = data;
    end = data + size;
    rig_init(&rig, 1, 1);
    rig.link.persistent = next() & 1;
    rig.volume = (struct blk_volume){.disk = &rig.ram.disk, .first = 64, .sectors = 4000};
    if (next() & 1)
        rig.ram.disk.sector_size = 4096;
    (void)rig_connect(&rig, false);
    for (unsigned moves = 0; at < end && moves < 300; moves++) {
        (void)fake_enter(RIG_GUEST);
        step(next());
    }
    shm_hook_set(NULL);
    disconnect();
    return 0;
}
