/*
 * A 16550 at COM1: sends by waiting, receives by interrupt. Its FIFO stays as
 * the firmware left it: switching it drops what was typed, or piped, before we
 * ran, and without it QEMU holds input back until we take it.
 */
#include <arch/uart.h>

#include <arch/cpu.h>
#include <arch/io.h>

#define COM1 0x3f8

enum { DATA = COM1, IER = COM1 + 1, LCR = COM1 + 3, MCR = COM1 + 4, LSR = COM1 + 5 };

#define LSR_RECEIVED 0x01
#define LSR_EMPTY    0x20
#define WAIT_ROUNDS  1000000u /* a port that never gets ready must not stop the machine */

void uart_init(void)
{
    io_write8(IER, 0);
    io_write8(LCR, 0x80); /* divisor 1: 115200 */
    io_write8(DATA, 1);
    io_write8(IER, 0);
    io_write8(LCR, 0x03); /* 8 bits, no parity */
    io_write8(MCR, 0x0b); /* DTR, RTS, and OUT2, which lets interrupts through */
}

void uart_write(const char *text, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        for (unsigned n = 0; !(io_read8(LSR) & LSR_EMPTY) && n < WAIT_ROUNDS; n++)
            cpu_relax();
        io_write8(DATA, (uint8_t)text[i]);
    }
}

size_t uart_read(uint8_t *buf, size_t len)
{
    size_t n = 0;

    for (; n < len; n++) {
        uint8_t status = io_read8(LSR);
        if (status == 0xff || !(status & LSR_RECEIVED))
            break;
        buf[n] = io_read8(DATA);
    }
    return n;
}

void uart_listen(bool on)
{
    io_write8(IER, on);
}
