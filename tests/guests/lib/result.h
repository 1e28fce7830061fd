/* A test's third and fourth result; failure is check.h's EXPECT, success is none of them. */
#ifndef GUEST_RESULT_H
#define GUEST_RESULT_H

#include "check.h"

/* The test does not apply here, and why; goes on after the call. */
void result_skip(const char *why);

/* The test could not even be set up, which says nothing about its subject. */
void result_error(const char *what, long status);

#endif
