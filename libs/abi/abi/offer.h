/*
 * What a driver domain's image offers to front ends, as an ELF note of the image: so
 * that one can be refused that lacks what a front end uses, before it takes over.
 */
#ifndef ABI_OFFER_H
#define ABI_OFFER_H

#include <stdint.h>

/* The note's name and type; its value is text: lines "KIND FEATURE=NUMBER", as in the store. */
#define OFFER_NAME "Bulkhead"
#define OFFER_TYPE 1u

/* Once in an image. The text is a literal; a number may have C's suffix. */
#define OFFER(text)                                                                                \
    static const struct {                                                                          \
        uint32_t name_len, value_len, type;                                                        \
        char name[(sizeof(OFFER_NAME) + 3) / 4 * 4];                                               \
        char value[(sizeof(text) + 3) / 4 * 4];                                                    \
    } offer __attribute__((section(".note.offer"), used, aligned(4))) = {                          \
        sizeof(OFFER_NAME), sizeof(text), OFFER_TYPE, OFFER_NAME, text}

/* A constant as text, for such lines. */
#define OFFER_NUMBER_(n) #n
#define OFFER_NUMBER(n)  OFFER_NUMBER_(n)

#endif
