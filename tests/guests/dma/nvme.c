/*
 * An NVMe controller, its interrupts left off: a write command reads memory and
 * a read command writes it, both by way of the disk's first blocks; and it writes
 * completions wherever a queue for them is said to be. NVM Express 1.4.
 */
#include "engine.h"

#define REG_CC        0x14u
#define REG_CSTS      0x1cu
#define REG_AQA       0x24u
#define REG_ASQ       0x28u
#define REG_ACQ       0x30u
#define REG_DOORBELLS 0x1000u

#define CC_RUN     (1u | 6u << 16 | 4u << 20) /* entries of 64 and 16 bytes, pages of 4 KiB */
#define CSTS_READY 1u
#define CSTS_FATAL 2u

#define ADMIN_CREATE_SQ 1u
#define ADMIN_CREATE_CQ 5u
#define IO_FLUSH        0u
#define IO_WRITE        1u
#define IO_READ         2u
#define IN_ONE_PIECE    1u /* a queue's memory */

#define DEPTH  16u
#define BLOCK  512u
#define QUEUES 3u /* the controller's, the disk's, and one whose ends go astray */

struct command {
    uint32_t opcode;
    uint32_t space;
    uint64_t unused[2];
    uint64_t page[2];
    uint32_t words[6];
};

union queue_page {
    struct command command[PAGE_SIZE / sizeof(struct command)];
    uint32_t done[PAGE_SIZE / 16][4];
    uint8_t bytes[PAGE_SIZE];
};
_Static_assert(sizeof(struct command) == 64 && sizeof(union queue_page) == PAGE_SIZE, "queues");

static union queue_page asked[QUEUES] __attribute__((aligned(4096)));
static volatile union queue_page ended[QUEUES] __attribute__((aligned(4096)));
static unsigned tail[QUEUES], head[QUEUES];
static uint8_t page[DEPTH][PAGE_SIZE] __attribute__((aligned(4096)));
static volatile uint8_t *registers;

static volatile uint32_t *reg(unsigned at)
{
    return (volatile uint32_t *)(volatile void *)(registers + at);
}

static void reg64(unsigned at, uint64_t value)
{
    *reg(at) = (uint32_t)value;
    *reg(at + 4) = (uint32_t)(value >> 32);
}

static bool turn(uint32_t control, uint32_t ready)
{
    *reg(REG_CC) = control;
    while ((*reg(REG_CSTS) & CSTS_READY) != ready && !(*reg(REG_CSTS) & CSTS_FATAL))
        engine_wait();
    return (*reg(REG_CSTS) & CSTS_READY) == ready;
}

static void put(unsigned queue, const struct command *c)
{
    asked[queue].command[tail[queue]] = *c;
    tail[queue] = (tail[queue] + 1) % DEPTH;
}

static void kick(unsigned queue)
{
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    *reg(REG_DOORBELLS + 8 * queue) = tail[queue];
}

/* What it ended is taken; false if it ends nothing any more. An entry that is taken is wiped. */
static bool finish(unsigned queue)
{
    volatile uint32_t *done = ended[queue].done[head[queue]];

    while (done[3] == 0) {
        if (*reg(REG_CSTS) & CSTS_FATAL)
            return false;
        engine_wait();
    }
    done[3] = 0;
    head[queue] = (head[queue] + 1) % DEPTH;
    *reg(REG_DOORBELLS + 8 * queue + 4) = head[queue];
    return true;
}

static bool run(unsigned queue, const struct command *c)
{
    put(queue, c);
    kick(queue);
    return finish(queue);
}

/* A command's number is never 0, so that an entry never is either. */
static struct command command(uint32_t opcode, uint64_t first)
{
    return (struct command){.opcode = opcode | 1u << 16, .space = 1, .page = {first}};
}

static struct command transfer(uint32_t opcode, uint64_t address)
{
    struct command c = command(opcode, address);

    c.words[2] = LEN / BLOCK - 1;
    return c;
}

static bool queues_create(unsigned queue, uint64_t done_at)
{
    struct command cq = command(ADMIN_CREATE_CQ, done_at);
    struct command sq = command(ADMIN_CREATE_SQ, engine_address(&asked[queue]));

    cq.words[0] = sq.words[0] = queue | (DEPTH - 1) << 16;
    cq.words[1] = IN_ONE_PIECE;
    sq.words[1] = IN_ONE_PIECE | queue << 16;
    return run(0, &cq) && run(0, &sq);
}

static bool nvme_open(volatile uint8_t *at)
{
    registers = at;
    if (!turn(0, 0))
        return false;
    for (unsigned i = 0; i < QUEUES; i++) {
        tail[i] = head[i] = 0;
        for (unsigned j = 0; j < PAGE_SIZE; j++)
            ended[i].bytes[j] = 0;
    }
    *reg(REG_AQA) = (DEPTH - 1) | (DEPTH - 1) << 16;
    reg64(REG_ASQ, engine_address(&asked[0]));
    reg64(REG_ACQ, engine_address((const void *)(uintptr_t)&ended[0]));
    return turn(CC_RUN, CSTS_READY) &&
           queues_create(1, engine_address((const void *)(uintptr_t)&ended[1]));
}

static void nvme_load(uint64_t from)
{
    struct command c = transfer(IO_WRITE, from);

    (void)run(1, &c);
}

static void nvme_store(uint64_t to)
{
    struct command c = transfer(IO_READ, to);

    (void)run(1, &c);
}

/* The end of a command goes where the controller must not write: if it cannot, it gives up. */
static void nvme_note(uint64_t to)
{
    struct command flush = command(IO_FLUSH, 0);

    if (!queues_create(2, to))
        return;
    put(2, &flush);
    kick(2);
    while (engine_contained() && !(*reg(REG_CSTS) & CSTS_FATAL))
        engine_wait();
}

static void nvme_linger(void)
{
    for (unsigned i = 1; i < DEPTH; i++) {
        struct command c = transfer(IO_READ, engine_address(page[i]));

        put(1, &c);
    }
    kick(1);
}

const struct engine nvme = {
    .name = "nvme",
    .id = 0x00101b36,
    .open = nvme_open,
    .load = nvme_load,
    .store = nvme_store,
    .note = nvme_note,
    .linger = nvme_linger,
};
