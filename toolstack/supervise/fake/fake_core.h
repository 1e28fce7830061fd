/*
 * A pretend core and store for tests of the toolstack: domains are rows of a
 * table, nodes are rows of another, time stands still. It keeps no rules, it
 * only remembers what it was asked to do, and can fail at the n-th call.
 */
#ifndef FAKE_CORE_H
#define FAKE_CORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <abi/hypercall.h>
#include <supervise/supervise.h>

#define FAKE_DOMAINS 16
#define FAKE_RAM     (16u << 20)

struct fake_domain {
    bool exists;
    bool paused;
    bool introduced;
    bool serves;
    uint32_t flags; /* XEN_DOMINF_shutdown and its code */
    bool has_run;
    uint8_t handle[16];
    char label[BULKHEAD_LABEL_MAX];
    uint32_t rights;
    uint32_t dma_limit;
    uint64_t max_kib;
    uint64_t frames;
    uint64_t hole; /* a guest page with nothing behind it; 0: none has */
    uint8_t *ram;  /* its first FAKE_RAM bytes */
    uint8_t acpi[4096];
    uint64_t params[32];
    struct bulkhead_grant_seed seeds[4];
    unsigned seed_count;
    domid_t pairs[4];
    unsigned pair_count;
    bool paired; /* with the control domain */
    bool bound;  /* to the control domain, by a port of this life */
    uint32_t devices[4];
    unsigned device_count;
    struct bulkhead_vcpu_start start;
    uint8_t life[4096]; /* its life page */
    uint64_t cpu_ns;
    unsigned ports;
    unsigned sent;         /* events that the control domain sent to it */
    evtchn_port_t ordered; /* the port of the last that went elsewhere than to its watchdog's */
    unsigned resets;
    uint64_t written; /* bytes copied into it */
    unsigned triggers;
};

extern struct fake_domain fake_domains[FAKE_DOMAINS];
extern struct bulkhead_host_info fake_host;
extern const struct bulkhead_pci_info *fake_functions; /* of a test, fake_function_count many */
extern unsigned fake_function_count;
extern uint64_t fake_now;
extern domid_t fake_attached;
extern const char *fake_log; /* the core's */
extern char fake_said[8192]; /* all that was printed */
extern struct store_client fake_store;
extern const struct config_root fake_root; /* a folder for files, made by fake_file */

/* Empty tables, nothing said, time 1 s; the folder of files stays. */
void fake_reset(void);

/* The folder of files goes. */
void fake_fini(void);

/* A file in the folder: a small PVH kernel if bytes is NULL. */
void fake_file(const char *path, const void *bytes, size_t len);

/* The small kernel as a driver domain's image: what it offers, and a mark, its first byte. */
void fake_image(const char *path, const char *offer, char mark);

/* The n-th call from now fails with -EIO (calls that undo never do); 0: none does. */
void fake_fail_at(unsigned n);

/* Whether it did. */
bool fake_has_failed(void);

unsigned fake_domain_count(void);
unsigned fake_node_count(void); /* notes for a next life do not count */

/* A node's value; NULL if there is none. Set: as its owner would, from outside. */
const char *fake_node(const char *path);
void fake_node_set(const char *path, const char *value);

/* How often a string was said; then forgets what was said. */
unsigned fake_count_said(const char *text);

/* The control domain is gone: its ports are closed. */
void fake_control_dies(void);

/* Runs until the n-th call from now, at which the control domain dies; whether it came to that. */
bool fake_die_in(void (*run)(void), unsigned n);

/* The guest stops for this reason (SHUTDOWN_*). */
void fake_shutdown(domid_t domid, unsigned reason);

#endif
