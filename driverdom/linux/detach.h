/*
 * Letting go of what guests use, for a next life of this domain, which takes it up
 * again (docs/abi/linux-restart.md). The kernel's back ends can be taken off their
 * devices while front ends are connected: they answer what they have begun, leave
 * the rest in the rings, and do not say a word of it in the store.
 */
#ifndef LINUX_DETACH_H
#define LINUX_DETACH_H

#include "bus.h"

/* Tells the toolstack that this can be asked for, if the kernel is one that shows when it is done.
 */
int detach_offer(struct bus *b, const char *sys) BUS_CHECKED;

/* Does what the toolstack asks for now. True: it is not done yet, and nothing will tell when. */
bool detach_step(struct bus *b, const char *sys);

#endif
