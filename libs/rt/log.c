/* Formatted lines; apart from the rest because it may use vector registers. */
#include <rt/log.h>

#include <stdarg.h>
#include <stdio.h>

#include "internal.h"

void log_line(const char *format, ...)
{
    char text[512];
    va_list list;

    va_start(list, format);
    int len = vsnprintf(text, sizeof(text) - 1, format, list);
    va_end(list);
    if (len < 0)
        return;
    if ((size_t)len > sizeof(text) - 2)
        len = sizeof(text) - 2;
    text[len] = '\n';
    console_write(text, (size_t)len + 1);
}
