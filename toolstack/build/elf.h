/* Reads a kernel image: what of it goes where in guest-physical memory, and where it starts. */
#ifndef BUILD_ELF_H
#define BUILD_ELF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A Linux kernel has five or six; more than these is no kernel. */
#define ELF_SEGMENT_MAX 32

struct elf_segment {
    uint64_t gpa;      /* where it goes */
    uint64_t offset;   /* where its bytes lie in the file */
    uint64_t file_len; /* so many of them */
    uint64_t len;      /* its size in memory: the rest is zero */
    bool scratch;      /* and need not be zero in a later life */
};

struct elf_image {
    uint32_t entry; /* PVH entry point, physical */
    uint64_t start; /* all segments lie in [start, end) */
    uint64_t end;
    uint64_t offer;     /* offset of what it offers in the file (<abi/offer.h>), */
    uint32_t offer_len; /* and its length; 0: it says nothing */
    unsigned segment_count;
    struct elf_segment segments[ELF_SEGMENT_MAX]; /* by address, none overlaps another */
};

/*
 * Takes an ELF64 or ELF32 image apart. Every byte may be hostile. Returns zero;
 * or -ENOEXEC, and *why says what is wrong with it and what to do.
 */
int elf_read(const void *bytes, size_t len, struct elf_image *image, const char **why)
    __attribute__((warn_unused_result));

#endif
