/* The serial port COM1: a 16550. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

void uart_init(void); /* to send; usable before anything else is */
void uart_write(const char *text, size_t len);

/* Received bytes, at most len; 0: none there now. */
size_t uart_read(uint8_t *buf, size_t len);

/* Whether reception raises interrupts: off while nobody has room for the bytes. */
void uart_listen(bool on);
