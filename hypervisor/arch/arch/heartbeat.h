/* An interrupt that comes again and again and carries no news. */
#pragma once

#include <stdbool.h>

/* Starts it on ISA interrupt 0, 18 times a second, if the machine needs it; false: it does not. */
bool heartbeat_start(void);
