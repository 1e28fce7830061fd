/*
 * An Intel 82574L with what it sends looped back inside of it: a frame is read
 * from anywhere and written to anywhere, and the word that it is done goes to
 * wherever the ring is said to be. Legacy descriptors; what they hold is of the
 * chip's datasheet, 7.1.4 and 7.2.10.
 */
#include "engine.h"

#define REG_CTRL  0x0000u
#define REG_IMC   0x00d8u
#define REG_RCTL  0x0100u
#define REG_TCTL  0x0400u
#define REG_RDBA  0x2800u
#define REG_RDLEN 0x2808u
#define REG_RDH   0x2810u
#define REG_RDT   0x2818u
#define REG_TDBA  0x3800u
#define REG_TDLEN 0x3808u
#define REG_TDH   0x3810u
#define REG_TDT   0x3818u
#define REG_RFCTL 0x5008u

#define CTRL_LINK_UP (1u << 6)
#define CTRL_RESET   (1u << 26)

/* On, every address, all broadcasts, no checksum of Ethernet behind the frame. */
#define RCTL_RUN  (1u << 1 | 1u << 3 | 1u << 4 | 1u << 15 | 1u << 26)
#define RCTL_LOOP (1u << 6)
#define TCTL_RUN  (1u << 1 | 1u << 3)
#define TX_RUN    (1u << 24 | 1u << 25 | 1u << 27) /* end of the frame; a word when it is done */

#define DEPTH 8u

struct descriptor {
    uint64_t address;
    uint32_t command; /* and length */
    uint32_t status;
};

union ring {
    struct descriptor descriptor[DEPTH];
    uint8_t bytes[PAGE_SIZE];
};

static volatile union ring rx __attribute__((aligned(4096)));
static volatile union ring tx __attribute__((aligned(4096)));
static uint8_t buffer[PAGE_SIZE] __attribute__((aligned(4096)));
static volatile uint8_t *registers;
static unsigned next;

static volatile uint32_t *reg(unsigned at)
{
    return (volatile uint32_t *)(volatile void *)(registers + at);
}

static void ring_set(unsigned base, uint64_t address)
{
    *reg(base) = (uint32_t)address;
    *reg(base + 4) = (uint32_t)(address >> 32);
    *reg(base + REG_RDLEN - REG_RDBA) = DEPTH * sizeof(struct descriptor);
    *reg(base + REG_RDH - REG_RDBA) = 0;
    *reg(base + REG_RDT - REG_RDBA) = 0;
}

static bool e1000e_open(volatile uint8_t *at)
{
    registers = at;
    *reg(REG_CTRL) = *reg(REG_CTRL) | CTRL_RESET;
    while (*reg(REG_CTRL) & CTRL_RESET)
        engine_wait();
    *reg(REG_IMC) = UINT32_MAX;
    *reg(REG_CTRL) = *reg(REG_CTRL) | CTRL_LINK_UP;
    *reg(REG_RFCTL) = 0;
    ring_set(REG_RDBA, engine_address((const void *)(uintptr_t)&rx));
    ring_set(REG_TDBA, engine_address((const void *)(uintptr_t)&tx));
    next = 0;
    *reg(REG_TCTL) = TCTL_RUN;
    *reg(REG_RCTL) = RCTL_RUN | RCTL_LOOP;
    return true;
}

/* A frame goes round. */
static void move(uint64_t from, uint64_t to)
{
    unsigned i = next;

    next = (next + 1) % DEPTH;
    rx.descriptor[i].address = to;
    rx.descriptor[i].command = rx.descriptor[i].status = 0;
    tx.descriptor[i].address = from;
    tx.descriptor[i].command = LEN | TX_RUN;
    tx.descriptor[i].status = 0;
    *reg(REG_RDT) = next;
    *reg(REG_TDT) = next;
    while (*reg(REG_TDH) != next)
        engine_wait();
}

static void e1000e_load(uint64_t from)
{
    move(from, engine_address(buffer));
}

static void e1000e_store(uint64_t to)
{
    move(engine_address(buffer), to);
}

/* A frame comes in, and its ring is where the card must not write. */
static void e1000e_note(uint64_t to)
{
    next = 0;
    ring_set(REG_RDBA, to);
    ring_set(REG_TDBA, engine_address((const void *)(uintptr_t)&tx));
    e1000e_load(engine_address(buffer));
}

/* Its ring is full of buffers, and it waits for what comes by the wire. */
static void e1000e_linger(void)
{
    for (unsigned i = 0; i < DEPTH; i++) {
        rx.descriptor[i].address = engine_address(buffer);
        rx.descriptor[i].command = rx.descriptor[i].status = 0;
    }
    *reg(REG_RCTL) = RCTL_RUN;
    *reg(REG_RDT) = (next + DEPTH - 1) % DEPTH;
}

const struct engine e1000e = {
    .name = "e1000e",
    .id = 0x10d38086,
    .open = e1000e_open,
    .load = e1000e_load,
    .store = e1000e_store,
    .note = e1000e_note,
    .linger = e1000e_linger,
};
