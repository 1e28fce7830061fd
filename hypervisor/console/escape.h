/* Makes a stream of hostile bytes harmless: printable UTF-8 and line feeds stay, the rest is \xNN.
 */
#pragma once

#include "console/console.h"

#define ESCAPE_MAX 24u

/*
 * Takes one byte of the stream and gives the bytes to show for it and for what
 * was held back before it: at most ESCAPE_MAX. A carriage return before a line
 * feed is dropped. An escape of any byte never contains a line feed.
 */
size_t escape_byte(struct console_stream *s, uint8_t byte, char out[ESCAPE_MAX]);
