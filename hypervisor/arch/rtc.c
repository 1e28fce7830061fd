/* The battery clock (MC146818): read twice the same, between two updates. */
#include <arch/clock.h>

#include <arch/cpu.h>
#include <arch/io.h>

#include "util/string.h"

#define PORT_INDEX 0x70
#define PORT_DATA  0x71

#define REG_A       10
#define REG_B       11
#define A_UPDATING  0x80u
#define B_24_HOURS  0x02u
#define B_BINARY    0x04u
#define HOUR_PM     0x80u
#define WAIT_ROUNDS 100000u

struct date {
    uint8_t second, minute, hour, day, month, year, century;
};

static uint8_t reg_read(uint8_t reg)
{
    io_write8(PORT_INDEX, reg);
    return io_read8(PORT_DATA);
}

static struct date date_take(uint8_t century)
{
    for (unsigned i = 0; i < WAIT_ROUNDS && reg_read(REG_A) & A_UPDATING; i++)
        cpu_relax();
    return (struct date){.second = reg_read(0),
                         .minute = reg_read(2),
                         .hour = reg_read(4),
                         .day = reg_read(7),
                         .month = reg_read(8),
                         .year = reg_read(9),
                         .century = century ? reg_read(century) : (uint8_t)0};
}

static unsigned decimal(uint8_t v, bool binary)
{
    return binary ? v : (v >> 4) * 10u + (v & 15u);
}

/* Days from 1970-01-01 to a date of the Gregorian calendar; years begin in March here. */
static uint64_t days(unsigned year, unsigned month, unsigned day)
{
    year -= month <= 2;
    unsigned era = year / 400, of_era = year % 400;
    unsigned of_year = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;

    return era * 146097ull + of_era * 365ull + of_era / 4 - of_era / 100 + of_year - 719468;
}

uint64_t rtc_read(uint8_t century)
{
    struct date d = date_take(century), again;

    for (unsigned i = 0; i < 10; i++) {
        again = date_take(century);
        if (memcmp(&d, &again, sizeof(d)) == 0)
            break;
        d = again;
    }
    uint8_t form = reg_read(REG_B);
    bool binary = form & B_BINARY, pm = d.hour & HOUR_PM;
    unsigned hour = decimal(form & B_24_HOURS ? d.hour : (uint8_t)(d.hour & ~HOUR_PM), binary);
    if (!(form & B_24_HOURS))
        hour = hour % 12 + (pm ? 12 : 0);
    unsigned hundreds = century ? decimal(d.century, binary) : 20;
    unsigned year =
        decimal(d.year, binary) + 100 * (hundreds >= 19 && hundreds <= 29 ? hundreds : 20);
    unsigned month = decimal(d.month, binary), day = decimal(d.day, binary);
    if (month < 1 || month > 12 || day < 1 || day > 31 || year < 1970)
        return 0;
    return days(year, month, day) * 86400 + hour * 3600ull + decimal(d.minute, binary) * 60ull +
           decimal(d.second, binary);
}
