/* Makes text of unknown origin safe to show on a terminal. */
#ifndef CLI_ESCAPE_H
#define CLI_ESCAPE_H

#include <stddef.h>

/* One byte can become four. */
#define ESCAPE_ROOM(len) (4 * (len) + 1)

/*
 * Copies text; every byte that is not part of a printable UTF-8 character
 * becomes \xNN, newlines too. Returns the length written, NUL-terminated; stops
 * early, never inside a character, when the room is used up.
 */
size_t escape_text(char *out, size_t room, const char *text, size_t len);

#endif
