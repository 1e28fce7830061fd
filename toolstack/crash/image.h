/* What the file of a domain's image says of addresses in it: functions, and how their frames lie.
 */
#ifndef CRASH_IMAGE_H
#define CRASH_IMAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A part of the file; bytes NULL: it has none. */
struct image_part {
    const uint8_t *bytes;
    size_t len;
};

struct image {
    struct image_part symbols; /* of Elf64_Sym */
    struct image_part names;
    struct image_part frames; /* .debug_frame */
    struct image_part text;
    uint64_t text_start; /* where the text lies in the domain */
};

/*
 * An ELF64 file with its section headers; what it lacks is left out. The bytes stay
 * the caller's. False: it is no such file.
 */
bool image_open(struct image *image, const void *bytes, size_t len);

bool image_is_code(const struct image *image, uint64_t address);

/* A call instruction ends just before this address, so that it can be a return address. */
bool image_follows_call(const struct image *image, uint64_t address);

/* The same, and what it calls is this address's function: a call by pointer never is. */
bool image_follows_call_of(const struct image *image, uint64_t address, uint64_t callee);

/* The function that an address lies in, and how far behind its beginning; NULL: none. */
const char *image_function(const struct image *image, uint64_t address, uint64_t *offset);

#endif
