/* What a domain of ours tells of how its life began, for whoever waits for it (<abi/life.h>). */
#ifndef RT_LIFE_H
#define RT_LIFE_H

#include <abi/life.h>

/* It is there now. */
void life_stamp(enum life_stamp which);

#endif
