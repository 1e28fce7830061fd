/* What a guest says: by CONSOLEIO_write, or by its PV console ring if told "console=ring". */
#ifndef GUEST_CONSOLE_H
#define GUEST_CONSOLE_H

#include <stdbool.h>

/* Uses the PV console ring from now on; false: the guest has none. */
bool console_use_ring(void);

/* %s %c %d %u %x, the numbers also with l; longer than 240 bytes is cut. */
__attribute__((format(printf, 1, 2))) void console_print(const char *format, ...);

/* Waits until the ring's reader has taken everything. */
void console_drain(void);

#endif
