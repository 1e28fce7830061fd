/* A domain: an isolated machine. Created and destroyed by the control operations. */
#pragma once

#include <abi/bulkhead.h>
#include <abi/event.h>
#include <abi/hvm.h>

#include "console/console.h"
#include "mm/p2m.h"
#include "util/list.h"

struct vcpu;
struct event_table;
struct grant_table;
struct pci_space;

#define DOMAIN_VCPUS  1u /* at most, for now */
/* Stand-ins for holes at a time: probing touches a handful, and each costs page tables. */
#define DOMAIN_HOLES  32u
#define DOMAIN_PARAMS 40u

struct domain {
    uint16_t id;
    uint32_t refs;   /* atomic; the last put frees */
    struct list all; /* in the list of domains */
    struct lock lock;
    char label[BULKHEAD_LABEL_MAX];
    uint8_t handle[16];
    uint32_t rights;
    bool has_run; /* unpaused once: nothing may be built into it any more */
    bool labelled, entitled;
    bool paused;        /* by the control operation */
    bool runstate_flag; /* asked for XEN_RUNSTATE_UPDATE by vm_assist */
    volatile bool dying;
    volatile bool shutdown; /* stopped, waits for its builder */
    uint8_t shutdown_code;

    struct p2m p2m;
    uint64_t frames; /* RAM owned now */
    uint64_t frames_max;
    uint64_t hole[DOMAIN_HOLES]; /* frames with a stand-in, 0: none (vcpu/hole.h) */
    unsigned hole_next;          /* the next to go when another is needed */
    void *scratch; /* what it writes there, or has in place of a dead peer's; page of the pool */
    struct vcpu *vcpu[DOMAIN_VCPUS];
    unsigned vcpu_count;

    struct shared_info *shared; /* page of the pool */
    gfn_t shared_gfn;           /* where the guest has it; FRAME_NONE: nowhere */
    uint64_t param[DOMAIN_PARAMS];
    uint8_t callback_vector; /* HVM_PARAM_CALLBACK_IRQ, 0: none */
    struct event_table *events;
    struct grant_table *grants;
    struct pci_space *pci; /* NULL: owns no function */
    unsigned dma_limit;    /* blocked accesses of a function at which it crashes; 0: never */
    uint16_t *pairs;       /* ids of domains that it may share with; page of the pool, or NULL */
    unsigned pair_count;
    struct console_domain console;

    struct bulkhead_domain_stats stats; /* counters that are not kept elsewhere */
};

/* What a new domain may have at most. */
struct domain_limits {
    unsigned vcpus;
    unsigned grant_frames;
    uint8_t handle[16];
};

/*
 * A paused domain with empty memory. id 0: the next free one, or the control
 * domain itself when there is none yet. -XEN_EEXIST, -XEN_ENOMEM, -XEN_EINVAL.
 */
MUST_USE int domain_create(uint16_t id, const struct domain_limits *limits, struct domain **d);

/*
 * Stops it and takes everything away: devices, channels, mappings, memory. The
 * structure and frames live on where an unsafe device may still reach one that was
 * mapped. Not for the caller itself.
 */
MUST_USE int domain_destroy(struct domain *d);

/*
 * Back to before it first ran, but for its memory's content, its devices and the
 * ports of store and console. Not for the caller itself. -XEN_EINVAL: it is
 * dying; -XEN_ENOMEM, -XEN_EPERM: a device could not be handed out again.
 */
MUST_USE int domain_reset(struct domain *d);

/* Pause by the control operation; the first unpause ends the building of the domain. */
void domain_pause(struct domain *d);
void domain_unpause(struct domain *d);

/* The domain of an id with a reference, or NULL. Drop it with domain_put. */
struct domain *domain_get(uint16_t id);
void domain_ref(struct domain *d);
void domain_put(struct domain *d);

/*
 * The domain after d in order of ids, with a reference; d's is dropped.
 * NULL: the first; returns NULL after the last.
 */
struct domain *domain_next(struct domain *d);

/*
 * They broke the rules: prints why, stops the domain with SHUTDOWN_crash, tells
 * the builder. Never the machine. May be called for the current domain in the
 * middle of an exit: its vCPU does not run again. No lock held.
 */
void domain_crash(struct domain *d, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Stops all vCPUs with a reason (SHUTDOWN_*), raises VIRQ_DOM_EXC at the builder. No lock held. */
void domain_shutdown(struct domain *d, uint8_t code);
