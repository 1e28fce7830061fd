/* The four functions that a freestanding compiler may call, and bounded string helpers. */
#pragma once

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

void *memcpy(void *restrict dst, const void *restrict src, size_t n);
void *memmove(void *dst, const void *src, size_t n);
void *memset(void *dst, int c, size_t n);
int memcmp(const void *a, const void *b, size_t n);
size_t strlen(const char *s);
size_t strnlen(const char *s, size_t max);
int strcmp(const char *a, const char *b);

/* What a hexadecimal digit counts; -1: it is none. */
int string_digit(char c);

/*
 * printf into a buffer: %s %d %u %x, with l or ll, a width, zero padding, and %.*s.
 * Always NUL-terminated; returns the bytes written without it.
 */
size_t string_format(char *buf, size_t size, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
size_t string_vformat(char *buf, size_t size, const char *format, va_list args);
