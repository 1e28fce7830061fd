/* A tiny image for tests: three functions whose frames are described, and one that is not. */
#ifndef CRASH_TINY_H
#define CRASH_TINY_H

#include <stddef.h>
#include <stdint.h>

#define TINY_TEXT 0x201000ull

/*
 * outer  0x00: sub $24, %rsp                    CFA = rsp + 32 from +4 on; calls at +4
 * middle 0x20: push %rbp; mov %rsp, %rbp        CFA = rbp + 16 from +4 on; calls at +8
 * inner  0x40: push %rbx, and back in between   CFA = rsp + 16 at +1..+3, rsp + 8 at +4, +16 at +5
 * bare   0x60: nothing is known of it; calls at +0
 */
enum tiny_function { TINY_OUTER = 0x00, TINY_MIDDLE = 0x20, TINY_INNER = 0x40, TINY_BARE = 0x60 };

/* The bytes of the file; the same at each call. */
const uint8_t *tiny_image(size_t *len);

#endif
