/* Ports of the pretend machine: the test that needs some implements them. */
#ifndef ARCH_IO_H
#define ARCH_IO_H

#include <stdint.h>

uint8_t io_read8(uint16_t port);
void io_write8(uint16_t port, uint8_t v);

#endif
