/*
 * What waits for the UART. That takes its time over each byte, in which nothing else
 * would run: bytes are sent when there is nothing else to do, and if that does not
 * come for a while, in small pieces. Who finds no room sends the oldest himself.
 */
#include "console/parts.h"

#include <arch/clock.h>
#include <arch/cpu.h>
#include <arch/uart.h>

#define UNSENT_MAX  16384u /* a power of two */
#define PATIENCE_NS 50000000u
#define PIECE       4u       /* what a vCPU that wakes may have to wait for */
#define REST_NS     1000000u /* between two pieces */

static struct {
    bool waits;       /* the scheduler runs, and sends */
    uint32_t in, out; /* free-running */
    char bytes[UNSENT_MAX];
} unsent;

uint64_t console_due = CLOCK_NEVER;

static void send(uint32_t most)
{
    while (most-- > 0 && unsent.out != unsent.in)
        uart_write(&unsent.bytes[unsent.out++ % UNSENT_MAX], 1);
}

void unsent_put(const char *text, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        if (unsent.in - unsent.out == UNSENT_MAX)
            send(1);
        unsent.bytes[unsent.in++ % UNSENT_MAX] = text[i];
    }
    if (!unsent.waits) {
        send(UNSENT_MAX);
    } else if (console_due == CLOCK_NEVER) {
        console_due = clock_now() + PATIENCE_NS;
        cpu_this()->timer_fired = true; /* so that the scheduler sees it */
    }
}

bool console_send(bool idle)
{
    unsent.waits = true;
    if (console_due == CLOCK_NEVER || (!idle && clock_now() < console_due))
        return false;
    LOCK_SCOPE(&console_lock);
    send(PIECE);
    console_due = unsent.in == unsent.out ? CLOCK_NEVER : clock_now() + REST_NS;
    return true;
}

void console_flush(void)
{
    unsent.waits = false;
    send(UNSENT_MAX);
}
