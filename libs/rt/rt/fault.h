/*
 * A domain's memory as something that can be spoilt: for fault injection, and
 * nothing else.
 */
#ifndef RT_FAULT_H
#define RT_FAULT_H

#include <stddef.h>
#include <stdint.h>

/*
 * One of the pages that the program uses and may write: its data, its stacks, its
 * heap, its page tables, address space that it maps others' pages in, what it
 * leaves to its next life. Which one is chosen by `pick`.
 */
void *memory_used_page(uint64_t pick);

/* The program's instructions may be written until memory_text_close. */
void *memory_text_open(size_t *len);
void memory_text_close(void);

#endif
