/* The core's command line. */
#pragma once

#include "domain/first.h"

/*
 * Fills options from text: words up to " -- ", then the control domain's own
 * command line. Aloud, each word that is no option is logged.
 */
void options_parse(struct boot_options *options, const char *text, bool aloud);
