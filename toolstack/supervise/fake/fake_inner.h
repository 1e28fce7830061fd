/* What the files of the pretend core share. */
#ifndef FAKE_INNER_H
#define FAKE_INNER_H

#include "fake_core.h"

#include <stdarg.h>

/* Counts a call that may fail: -EIO when it is its turn. */
int fake_step(void);
struct fake_domain *fake_domain(domid_t domid);
void fake_nodes_reset(void);
void fake_say(const char *format, va_list args) __attribute__((format(printf, 1, 0)));

#endif
