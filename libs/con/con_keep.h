/*
 * What the console service leaves to its next life: histories, whose they are, and
 * which session has been shown how much. Its writer may have been anybody: whatever
 * stands here shows wrong text at worst.
 */
#ifndef CON_KEEP_H
#define CON_KEEP_H

#include <stdbool.h>

#include <abi/xen.h>

#include "con_history.h"

#define CON_CLIENTS_MAX 64u

struct con_keep_client {
    uint64_t owner; /* its domain, counted from 1; 0: nobody's */
    uint64_t base;  /* its ring's index minus its history's position, 32 bits */
    struct con_history history;
};

struct con_keep {
    uint64_t shown; /* the session that is attached: see con_keep_session */
    uint64_t at;    /* of its history, if that is being shown again: from here on */
    struct con_keep_client clients[CON_CLIENTS_MAX];
};

struct con_keep_session {
    uint32_t session;
    domid_t attached;
    bool replaying;
};

struct con_keep_session con_keep_session(const struct con_keep *k);
void con_keep_set_session(struct con_keep *k, struct con_keep_session s);

/*
 * The place of a domain's console: the one it had, else a free one, whose history
 * begins. `used` says which have an owner now. -1: none is left.
 */
int con_keep_claim(struct con_keep *k, domid_t domid, const bool used[CON_CLIENTS_MAX]);
void con_keep_drop(struct con_keep *k, unsigned place);

/*
 * The history goes on with what the ring has from index `at` on. Of a ring that a
 * last life served, up to `again` of these bytes may stand in the history already.
 */
void con_keep_connect(struct con_keep_client *c, uint32_t at, uint32_t again);

#endif
