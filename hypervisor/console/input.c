/*
 * Input routing. The prompt loses nothing: while its buffer is full the UART is
 * not asked. An attached domain that does not read loses what does not fit, or
 * the way back to the prompt would be blocked.
 */
#include "console/parts.h"

#include <abi/console.h>

#include <arch/uart.h>

#define BUFFER 4096u /* a power of two */
#define BATCH  16u

struct buffer {
    uint8_t bytes[BUFFER];
    uint32_t in, out; /* free-running */
};

static struct {
    struct buffer prompt, attached;
    uint16_t domid;
    uint32_t session;
    bool paused; /* the prompt's buffer is full: the UART does not interrupt */
} input = {.domid = DOMID_INVALID};

static uint32_t room(const struct buffer *b)
{
    return BUFFER - (b->in - b->out);
}

static void put(struct buffer *b, uint8_t byte)
{
    if (room(b) > 0)
        b->bytes[b->in++ % BUFFER] = byte;
}

uint16_t input_attached(void)
{
    return input.domid;
}

uint32_t input_session(void)
{
    return input.session;
}

static void route(uint8_t byte)
{
    if (input.domid == DOMID_INVALID)
        put(&input.prompt, byte);
    else if (byte == CONSOLE_ESCAPE)
        input_detach();
    else
        put(&input.attached, byte);
}

bool input_receive(void)
{
    uint8_t batch[BATCH];
    bool any = false;

    for (;;) {
        if (input.domid == DOMID_INVALID && room(&input.prompt) < BATCH) {
            input.paused = true;
            uart_listen(false);
            return any;
        }
        size_t n = uart_read(batch, BATCH);
        if (n == 0)
            return any;
        any = true;
        for (size_t i = 0; i < n; i++)
            route(batch[i]);
    }
}

static void resume(void)
{
    if (!input.paused || room(&input.prompt) < BUFFER / 2)
        return;
    input.paused = false;
    uart_listen(true); /* interrupts at once if bytes wait */
}

size_t input_take(bool attached, char *buf, size_t len)
{
    struct buffer *b = attached ? &input.attached : &input.prompt;
    size_t n = 0;
    char last = 0;

    while (n < len && b->out != b->in && (attached || (last != '\n' && last != '\r')))
        buf[n++] = last = (char)b->bytes[b->out++ % BUFFER];
    resume();
    return n;
}

void input_attach(uint16_t domid)
{
    struct buffer *p = &input.prompt;

    input.attached.out = input.attached.in;
    input.domid = domid;
    input.session++;
    while (p->out != p->in && input.domid != DOMID_INVALID)
        route(p->bytes[p->out++ % BUFFER]);
    resume();
}

void input_detach(void)
{
    if (input.domid == DOMID_INVALID)
        return;
    input.attached.out = input.attached.in;
    input.domid = DOMID_INVALID;
    input.session++;
    output_reset();
}
