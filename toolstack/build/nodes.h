/* The store nodes by which a domain, the services and the backends find each other. */
#ifndef BUILD_NODES_H
#define BUILD_NODES_H

#include "domain.h"

#include <store_client.h>

/* Writes all nodes of a built domain and tells the store and the console of it. */
int nodes_write(struct store_client *store, const struct build *b)
    __attribute__((warn_unused_result));

/* Tells the store that a domain starts anew in place: its connection, and that it serves nobody
 * yet. */
int nodes_renew(struct store_client *store, const struct build_order *order, domid_t domid)
    __attribute__((warn_unused_result));

/* Takes them away again; what is not there is no error. */
void nodes_remove(struct store_client *store, const struct build_order *order, domid_t domid);

/*
 * Puts a device before its backend once more, as a new one: the directory there, and
 * nothing of the guest's, which takes no notice of a backend that is not connected.
 */
int nodes_restore(struct store_client *store, const struct config_served *served, domid_t front,
                  domid_t back) __attribute__((warn_unused_result));

/* Where the backend `back` of a device of `front` keeps it; returns path. */
#define NODES_PATH_MAX 64
const char *nodes_backend_path(const struct config_served *served, domid_t front, domid_t back,
                               char path[NODES_PATH_MAX]);

const char *nodes_front_path(const struct config_served *served, domid_t front,
                             char path[NODES_PATH_MAX]);

/* Asks the backend of one device to let go: the front end is gone. */
void nodes_close(struct store_client *store, const struct config_served *served, domid_t front,
                 domid_t back);

#endif
