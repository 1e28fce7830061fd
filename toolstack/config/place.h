/* Finds where in a file its elements and attributes stand; the parser knows it only roughly. */
#ifndef PLACE_H
#define PLACE_H

#include "source.h"

/* Fills source->places and hangs them on the nodes; `count` is the number of elements. */
int place_all(struct source *source, size_t count);

#endif
