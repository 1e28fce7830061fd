/* The store's messages as bytes: errors by name, payloads of NUL-terminated words. Pure. */
#ifndef STORE_WIRE_H
#define STORE_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <abi/store.h>

/* The name that travels for a negative error number; "EINVAL" for one that has none. */
const char *store_error_name(int error);

/* The negative error number of a name; -XEN_EINVAL for one that is not known. */
int store_error_number(const char *name, size_t len);

/* What is left of a payload. */
struct store_words {
    const char *at;
    size_t left;
};

/* The next word with its NUL inside the payload; NULL if there is no further whole word. */
const char *store_word(struct store_words *words);

/* Decimal digits and nothing else, no sign, at most `max`: 0, or -XEN_EINVAL. */
int store_number(const char *text, uint64_t max, uint64_t *number);

/*
 * letter: 'n' none, 'r' read, 'w' write, 'b' both. The first entry of a node is
 * its owner, with what everyone else may do.
 */
struct store_perm {
    domid_t domid;
    char letter;
};

/* "r12": 0, or -XEN_EINVAL. */
int store_perm_decode(const char *text, struct store_perm *perm);

/* Room for a letter, five digits and the NUL. */
#define STORE_PERM_SIZE 7u

/* Length with the NUL. */
size_t store_perm_encode(char text[STORE_PERM_SIZE], struct store_perm perm);

#endif
