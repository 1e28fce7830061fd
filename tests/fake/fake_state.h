/* The pretend hypervisor's own state, shared by its files. */
#ifndef FAKE_STATE_H
#define FAKE_STATE_H

#include "fake_hv.h"

#include <abi/addr.h>
#include <abi/hvm.h>
#include <abi/layout.h>

/*
 * Low enough for the 32-bit frame numbers of grant table version 1, and below
 * the sanitizers' shadow memory.
 */
#define FAKE_BASE        0x20000000ul
#define FAKE_SPACE_BASE  0x40000000ul
#define FAKE_SPACE_PAGES 16384u
#define FAKE_TABLE_PAGES (FAKE_GRANTS * (unsigned)sizeof(struct grant_entry_v1) / PAGE_SIZE)
#define FAKE_MAPPINGS    4096u

enum port_state { PORT_FREE, PORT_UNBOUND, PORT_BOUND, PORT_VIRQ };

struct port {
    enum port_state state;
    domid_t remote;
    evtchn_port_t remote_port; /* or the VIRQ */
    bool pending;
    bool open;
};

struct domain {
    struct port ports[FAKE_PORTS];
    evtchn_port_t last; /* taken last, for turns */
    struct grant_entry_v1 *grants;
    uint64_t params[HVM_NR_PARAMS];
    unsigned effects;
    unsigned stop_at;
    jmp_buf *stop;
};

struct mapping {
    bool used;
    bool readonly;
    domid_t holder;
    domid_t owner;
    grant_ref_t ref;
    uint64_t addr;
    int page; /* of the owner's */
};

struct fake {
    int file; /* of all pages */
    domid_t current;
    uint64_t now;
    bool (*idle)(void *context);
    void *idle_context;
    struct domain domains[FAKE_DOMAINS];
    uint8_t owner[FAKE_PAGES]; /* domid + 1; 0: free */
    uint8_t space[FAKE_SPACE_PAGES];
    struct mapping mappings[FAKE_MAPPINGS];
    unsigned mapping_limit; /* none is used from here on */
    uint64_t survivors[FAKE_DOMAINS][LAYOUT_SURVIVOR_SIZE / sizeof(uint64_t)];
    unsigned log_count;
    char log_last[256];
};

extern struct fake fake;

static inline struct domain *fake_self(void)
{
    return &fake.domains[fake.current];
}

/* DOMID_SELF resolved; FAKE_DOMAINS or more: there is none such. */
static inline domid_t fake_resolve(domid_t domid)
{
    return domid == DOMID_SELF ? fake.current : domid;
}

/* Number of the page an address of domain RAM lies in, -1 if none. */
int fake_page_of(uint64_t addr);

/* Maps page number `page` (-1: nothing) at addr. */
void fake_map_at(uint64_t addr, int page, bool readonly);

/* What a domain's death does to ports (two may stay, 0: none) and mappings. */
void fake_ports_drop(domid_t domid, evtchn_port_t keep, evtchn_port_t keep_too);
void fake_mappings_drop(domid_t domid);

#endif
