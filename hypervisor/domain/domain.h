/* A domain: an isolated machine. Created and destroyed by the control operations. */
#ifndef DOMAIN_DOMAIN_H
#define DOMAIN_DOMAIN_H

#include <stdbool.h>
#include <stdint.h>

#include <abi/bulkhead.h>
#include <abi/event.h>
#include <abi/hvm.h>

#include "mm/p2m.h"
#include "util/check.h"
#include "util/list.h"
#include "util/lock.h"

struct vcpu;
struct event_table;
struct grant_table;
struct pci_space;

#define DOMAIN_VCPUS 1u /* at most, for now */
#define DOMAIN_PARAMS 40u

struct domain {
    uint16_t id;
    uint32_t refs;          /* atomic; the last put frees */
    struct list all;        /* in the list of domains */
    struct lock lock;
    char label[BULKHEAD_LABEL_MAX];
    uint8_t handle[16];
    uint32_t rights;
    bool has_run;           /* unpaused once: nothing may be built into it any more */
    bool labelled, entitled;
    bool paused;            /* by the control operation */
    volatile bool dying;
    volatile bool shutdown; /* stopped, waits for its builder */
    uint8_t shutdown_code;
    bool has_x2apic;
    bool hlt_off;           /* every vCPU halted with interrupts off */

    struct p2m p2m;
    uint64_t frames;        /* RAM owned now */
    uint64_t frames_max;
    struct vcpu *vcpu[DOMAIN_VCPUS];
    unsigned vcpu_count;

    struct shared_info *shared; /* page of the pool */
    uint64_t param[DOMAIN_PARAMS];
    uint8_t callback_vector;    /* HVM_PARAM_CALLBACK_IRQ, 0: none */
    struct event_table *events;
    struct grant_table *grants;
    struct pci_space *pci;      /* NULL: owns no function */
    struct list pairs;          /* struct pair: who it may share with */

    struct bulkhead_domain_stats stats; /* counters that are not kept elsewhere */
};

/* The domain of an id with a reference, or NULL. Drop it with domain_put. */
struct domain *domain_get(uint16_t id);
void domain_ref(struct domain *d);
void domain_put(struct domain *d);

/*
 * They broke the rules: prints why, stops the domain with SHUTDOWN_crash, tells
 * the builder. Never the machine. May be called for the current domain in the
 * middle of an exit: its vCPU does not run again.
 */
void domain_crash(struct domain *d, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Stops all vCPUs with a reason (SHUTDOWN_*), raises VIRQ_DOM_EXC at the builder. */
void domain_shutdown(struct domain *d, uint8_t code);

/* The two may share by event channels and grants. */
bool domain_is_paired(const struct domain *a, uint16_t peer);

#endif
