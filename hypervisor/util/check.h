/* The core's own invariants: a broken one stops the machine. Never reachable by outside input. */
#pragma once

/* Prints place and condition, and stops every CPU. */
_Noreturn void check_failed(const char *file, int line, const char *what);

#define CHECK(x) ((x) ? (void)0 : check_failed(__FILE__, __LINE__, #x))

/* A result that must not be dropped. */
#define MUST_USE __attribute__((warn_unused_result))
