/* The life page of a domain of ours, by which it is watched and tells of its end. */
#ifndef BUILD_LIFE_H
#define BUILD_LIFE_H

#include <stdbool.h>

#include <abi/event.h>
#include <abi/life.h>

/*
 * Clears the page and, if the domain is to be watched, makes a port in it that
 * the caller may bind (0: none). obeys: with ports for life_order, too. Zero or a negative error
 * number.
 */
int life_make(domid_t domid, bool watched, bool obeys, evtchn_port_t *port)
    __attribute__((warn_unused_result));

/* Copies the first len bytes of the page out: what is in them is the domain's to say. */
int life_read(domid_t domid, struct life_page *page, size_t len)
    __attribute__((warn_unused_result));

/* Gives an order to a domain that was made to obey. Zero or a negative error number. */
int life_order(domid_t domid, enum life_order order) __attribute__((warn_unused_result));

#endif
