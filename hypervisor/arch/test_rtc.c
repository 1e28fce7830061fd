#include <arch/clock.h>

#include <string.h>

#include "check.h"
#include "fake_arch.h"

#include <arch/io.h>

/* A battery clock: an update goes on for some reads, then another second is there. */
static uint8_t regs[128];
static uint8_t chosen;
static unsigned updating, reads, tick_at;

void io_write8(uint16_t port, uint8_t v)
{
    EXPECT(port == 0x70);
    chosen = v & 0x7f;
}

uint8_t io_read8(uint16_t port)
{
    EXPECT(port == 0x71);
    if (++reads == tick_at) {
        regs[0] = 0x00; /* 23:59:59 -> 00:00:00 of the next day, in BCD */
        regs[2] = 0x00;
        regs[4] = 0x00;
        regs[7] = 0x01;
        regs[8] = 0x01;
        regs[9] = 0x27;
    }
    if (chosen == 10 && updating > 0) {
        updating--;
        return 0x80;
    }
    return regs[chosen];
}

static void set(const uint8_t date[7], uint8_t form)
{
    static const uint8_t places[] = {0, 2, 4, 7, 8, 9, 0x32};

    memset(regs, 0, sizeof(regs));
    for (unsigned i = 0; i < 7; i++)
        regs[places[i]] = date[i];
    regs[11] = form;
    updating = reads = tick_at = 0;
}

#define DATE(...)                                                                                  \
    (const uint8_t[7])                                                                             \
    {                                                                                              \
        __VA_ARGS__                                                                                \
    }

TEST(bcd)
{
    set(DATE(0x30, 0x25, 0x03, 0x21, 0x11, 0x26, 0x20), 0x02);
    EXPECT(rtc_read(0x32) == 1795231530);
    EXPECT(rtc_read(0) == 1795231530);
    updating = 50;
    EXPECT(rtc_read(0x32) == 1795231530);
}

TEST(binary)
{
    set(DATE(30, 25, 3, 21, 11, 26, 20), 0x06);
    EXPECT(rtc_read(0x32) == 1795231530);
}

TEST(twelve_hours)
{
    set(DATE(0x00, 0x00, 0x12, 0x01, 0x01, 0x00, 0x20), 0x00); /* 12 a.m. is midnight */
    EXPECT(rtc_read(0x32) == 946684800);
    set(DATE(0x00, 0x00, 0x92, 0x01, 0x01, 0x00, 0x20), 0x00);
    EXPECT(rtc_read(0x32) == 946684800 + 12 * 3600);
    set(DATE(0, 0, 0x80 | 11, 1, 1, 0, 20), 0x04);
    EXPECT(rtc_read(0x32) == 946684800 + 23 * 3600);
}

TEST(calendar)
{
    set(DATE(0, 0, 0, 1, 1, 70, 19), 0x06);
    EXPECT(rtc_read(0x32) == 0);
    set(DATE(0, 0, 0, 29, 2, 0, 20), 0x06);
    EXPECT(rtc_read(0x32) == 951782400);
    set(DATE(0, 0, 0, 1, 3, 0, 21), 0x06);
    EXPECT(rtc_read(0x32) == 4107542400);
}

static void wait(void) {}

TEST(nonsense)
{
    fake_on_relax = wait;
    set(DATE(0, 0, 0, 0, 0, 0, 0), 0x06);
    EXPECT(rtc_read(0x32) == 0);
    set(DATE(0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff), 0xff);
    EXPECT(rtc_read(0x32) == 0);
    regs[10] = 0xff;
    updating = 1u << 30; /* never ends */
    (void)rtc_read(0x32);
}

/* The second changes between two registers, wherever: never a mixture of both. */
TEST(an_update_in_the_middle)
{
    for (unsigned at = 1; at < 30; at++) {
        set(DATE(0x59, 0x59, 0x23, 0x31, 0x12, 0x26, 0x20), 0x02);
        tick_at = at;
        uint64_t got = rtc_read(0x32);
        EXPECT(got == 1798761599 || got == 1798761600);
    }
}
