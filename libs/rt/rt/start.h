/*
 * What a domain program was started with. main() is an ordinary
 * main(argc, argv): argv[0] is the domain's name, the rest the words of its
 * command line. Files of the module given to the domain (a cpio archive) open
 * with open() and fopen(), read-only; without a module there are none.
 */
#ifndef RT_START_H
#define RT_START_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <abi/xen.h>

/* The caller's own domain id. */
domid_t start_domid(void);

/* The word of one who, when it ends, is started again in place, and adopts what it served. */
#define START_MORTAL "restart=in-place"

/* Whether a word of the command line is this one. */
static inline bool start_has_word(int argc, char **argv, const char *word)
{
    for (int i = 1; i < argc; i++)
        if (strcmp(argv[i], word) == 0)
            return true;
    return false;
}

/* The module's bytes, mapped read-only for the program's life; NULL, 0 without one. */
const void *start_module(size_t *len);

/* CPUID says that device DMA goes through an IOMMU that follows our own addresses. */
int start_has_iommu(void);

#endif
