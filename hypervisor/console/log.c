/* The log ring. Its caller holds the console's lock. */
#include "console/parts.h"

static char ring[LOG_SIZE];
static uint64_t end;

void log_put(const char *text, size_t len)
{
    for (size_t i = 0; i < len; i++)
        ring[end++ % LOG_SIZE] = text[i];
}

size_t log_get(uint64_t *from, char *buf, size_t len)
{
    size_t n = 0;

    if (end > LOG_SIZE && *from < end - LOG_SIZE)
        *from = end - LOG_SIZE;
    while (n < len && *from < end)
        buf[n++] = ring[(*from)++ % LOG_SIZE];
    return n;
}

uint64_t log_end(void)
{
    return end;
}
