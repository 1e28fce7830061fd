/* The quick windows over the pretend machine's memory. */
#ifndef ARCH_PEEK_H
#define ARCH_PEEK_H

#include <abi/addr.h>

void *peek(unsigned which, mfn_t mfn);
void peek_end(void);

#endif
