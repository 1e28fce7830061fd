#include "console.h"

#include "call.h"
#include "cpu.h"
#include "param.h"

#include <abi/console.h>
#include <abi/event.h>
#include <stdarg.h>

#include <xen/sched.h>

#define CONSOLE_LINE 240u

/* How often a full ring is looked at before what does not fit is dropped. */
#define CONSOLE_PATIENCE 2000000u

static struct xencons_interface *ring;
static evtchn_port_t port;

struct line {
    char text[CONSOLE_LINE];
    unsigned len;
};

static uint32_t load(const uint32_t *index)
{
    return __atomic_load_n(index, __ATOMIC_ACQUIRE);
}

static void kick(void)
{
    call_event(EVTCHNOP_send, &(struct evtchn_send){.port = port});
}

static bool wait_for_room(uint32_t produced)
{
    for (unsigned i = 0; i < CONSOLE_PATIENCE; i++) {
        if (produced - load(&ring->out_cons) < sizeof(ring->out))
            return true;
        kick();
        call_sched(SCHEDOP_yield, NULL);
    }
    return false;
}

static void ring_write(const char *text, unsigned len)
{
    uint32_t produced = ring->out_prod;

    for (unsigned i = 0; i < len; i++, produced++) {
        if (produced - load(&ring->out_cons) >= sizeof(ring->out) && !wait_for_room(produced))
            break;
        ring->out[MASK_XENCONS_IDX(produced, ring->out)] = text[i];
        __atomic_store_n(&ring->out_prod, produced + 1, __ATOMIC_RELEASE);
    }
    kick();
}

bool console_use_ring(void)
{
    uint64_t frame;
    uint64_t number;

    if (param_get(HVM_PARAM_CONSOLE_PFN, &frame) || !frame ||
        param_get(HVM_PARAM_CONSOLE_EVTCHN, &number))
        return false;
    ring = (struct xencons_interface *)(uintptr_t)(frame << 12);
    port = (evtchn_port_t)number;
    return true;
}

void console_drain(void)
{
    for (unsigned i = 0; ring && i < CONSOLE_PATIENCE; i++) {
        if (load(&ring->out_cons) == ring->out_prod)
            return;
        call_sched(SCHEDOP_yield, NULL);
    }
}

static void put(struct line *line, char c)
{
    if (line->len < CONSOLE_LINE)
        line->text[line->len++] = c;
}

static void put_number(struct line *line, uint64_t value, unsigned base)
{
    char digits[20];
    unsigned n = 0;

    do {
        digits[n++] = "0123456789abcdef"[value % base];
        value /= base;
    } while (value);
    while (n)
        put(line, digits[--n]);
}

static void put_signed(struct line *line, int64_t value)
{
    if (value < 0)
        put(line, '-');
    put_number(line, value < 0 ? 0 - (uint64_t)value : (uint64_t)value, 10);
}

static void put_string(struct line *line, const char *s)
{
    while (*s)
        put(line, *s++);
}

void console_print(const char *format, ...)
{
    struct line line = {.len = 0};
    va_list args;

    va_start(args, format);
    for (const char *p = format; *p; p++) {
        bool wide = false;

        if (*p != '%') {
            put(&line, *p);
            continue;
        }
        p++;
        for (; *p == 'l'; p++)
            wide = true;
        switch (*p) {
        case 's': put_string(&line, va_arg(args, const char *)); break;
        case 'c': put(&line, (char)va_arg(args, int)); break;
        case 'd': put_signed(&line, wide ? va_arg(args, long) : va_arg(args, int)); break;
        case 'u':
        case 'x':
            put_number(&line, wide ? va_arg(args, unsigned long) : va_arg(args, unsigned),
                       *p == 'x' ? 16 : 10);
            break;
        default: put(&line, '?'); break;
        }
    }
    va_end(args);
    if (ring)
        ring_write(line.text, line.len);
    else
        call3(__HYPERVISOR_console_io, CONSOLEIO_write, line.len, line.text);
}
