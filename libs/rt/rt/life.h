/* What a domain of ours tells of how its life began, for whoever waits for it (<abi/life.h>). */
#ifndef RT_LIFE_H
#define RT_LIFE_H

#include <stdbool.h>

#include <abi/life.h>

/* It is there now. */
void life_stamp(enum life_stamp which);

/*
 * For the control domain, whom nobody watches and who makes its page itself: begins
 * the page anew, after copying out what its last life left there. False: there is no
 * page yet.
 */
bool life_take(struct life_page *last);
void life_begin(void);

#endif
