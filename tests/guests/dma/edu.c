/* QEMU's "edu": a buffer of 4 KiB, filled and emptied by DMA, each time 100 ms after it is told. */
#include "engine.h"

#define EDU_FROM    0x80u
#define EDU_TO      0x88u
#define EDU_LEN     0x90u
#define EDU_COMMAND 0x98u
#define EDU_BUFFER  0x40000u
#define EDU_START   1u
#define EDU_OUT     2u /* from its buffer into memory */

static uint8_t page[PAGE_SIZE] __attribute__((aligned(4096)));
static volatile uint8_t *registers;

static volatile uint64_t *reg(unsigned at)
{
    return (volatile uint64_t *)(volatile void *)(registers + at);
}

static bool edu_open(volatile uint8_t *at)
{
    registers = at;
    return true;
}

static void start(uint64_t from, uint64_t to, uint64_t command)
{
    *reg(EDU_FROM) = from;
    *reg(EDU_TO) = to;
    *reg(EDU_LEN) = LEN;
    *reg(EDU_COMMAND) = EDU_START | command;
}

static void finish(void)
{
    while (*reg(EDU_COMMAND) & EDU_START)
        engine_wait();
}

static void edu_load(uint64_t from)
{
    start(from, EDU_BUFFER, 0);
    finish();
}

static void edu_store(uint64_t to)
{
    start(EDU_BUFFER, to, EDU_OUT);
    finish();
}

static void edu_linger(void)
{
    engine_fill(page, 0xed);
    edu_load(engine_address(page));
    start(EDU_BUFFER, engine_address(page), EDU_OUT);
}

const struct engine edu = {
    .name = "edu",
    .id = 0x11e81234,
    .open = edu_open,
    .load = edu_load,
    .store = edu_store,
    .linger = edu_linger,
};
