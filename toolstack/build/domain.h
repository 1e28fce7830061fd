/*
 * Builds a domain from its description, up to the point where only its nodes in
 * the store and the unpause are missing.
 *
 *     struct build b;
 *     rc = build_create(&b, &order);            it has an id from now on
 *     if (rc == 0)
 *         rc = build_fill(&b, command line);
 *     if (rc != 0)
 *         ... b.error says what and where
 *     build_close(&b, rc != 0);                 on failure nothing is left of it
 */
#ifndef BUILD_DOMAIN_H
#define BUILD_DOMAIN_H

#include "elf.h"
#include "layout.h"
#include "mapped.h"

#include <stdbool.h>

#include <abi/event.h>
#include <config/config.h>

struct build_order {
    domid_t domid; /* that it shall have; 0: the core chooses */
    const struct config_root *root;
    const struct domain_config *config;
    const char *kernel;      /* in place of config's; NULL: that */
    const domid_t *backends; /* of each device that is served to config */
    domid_t store;           /* DOMID_INVALID: the domain gets no store ring */
    domid_t console;         /* DOMID_INVALID: no console ring */
    uint32_t rights;
    uint64_t survivor; /* bytes for what it leaves to its next life, if the usual do not suffice */
    bool serves;       /* others: the store lets it keep more */
    bool obeys;        /* orders that come by events: life_order */
};

/* What is wrong and what to do about it, and the line of the domain's file to blame. */
struct build_error {
    unsigned line;
    char text[240];
};

struct build {
    struct build_order order;
    domid_t domid; /* DOMID_INVALID: not created */
    evtchn_port_t store_port;
    evtchn_port_t console_port;
    uint64_t reset_at;       /* renewed: when the core had put it back, ns of clock_now */
    evtchn_port_t life_port; /* where it is asked whether it hangs; 0: nowhere */
    struct build_error error;

    /* In between. */
    bool exact; /* gets the machine's own frames */
    const char *cmdline;
    char *made_cmdline; /* NULL: the description's own */
    struct mapped kernel;
    struct mapped initrd;
    struct elf_image image;
    struct layout_request request;
    struct layout layout;
};

/* Reads the images and creates the domain: paused, with its name and rights, without memory. */
int build_create(struct build *b, const struct build_order *order)
    __attribute__((warn_unused_result));

/* Gives it memory, content, ports, devices and a first vCPU. */
int build_fill(struct build *b, const char *cmdline) __attribute__((warn_unused_result));

/*
 * In place of both for a domain that has everything and died: the core puts it
 * back to before it first ran, and its images and tables are written once more.
 * It keeps its id, its peers and what lies in its survivor pages.
 */
int build_renew(struct build *b, const struct build_order *order, domid_t domid,
                const char *cmdline) __attribute__((warn_unused_result));

/* Ends the work; destroys the domain again if it failed. */
void build_close(struct build *b, bool failed);

/* Ends a domain in the core: all that it had goes back. */
int build_destroy(domid_t domid);

#endif
