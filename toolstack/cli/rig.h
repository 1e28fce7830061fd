/* Tests of verbs: the prompt without a terminal, over the pretend core. */
#ifndef CLI_RIG_H
#define CLI_RIG_H

#include "cli.h"

#include <fake_core.h>

extern struct supervise s;
extern struct cli cli;
extern void (*answer)(void); /* done while a verb waits; NULL: nothing */

/* Runs a line; what it printed is fake_said. */
int run(const char *text);

/* It went well, or failed with an error, and printed this. */
bool says(const char *text, const char *what);
bool errs(const char *text, const char *what);

#endif
