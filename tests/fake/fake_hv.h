/*
 * A pretend hypervisor inside one test process: several domains that share
 * pages by grants and wake each other by event channels, with the functions of
 * hcall.h and of the runtime's event.h, memory.h, clock.h, log.h and start.h.
 *
 * One domain is current at a time; every call acts for it. All pages lie in one
 * memory file: a mapped grant is a second mapping of the same page, so both ends
 * really share, and an access after the unmap faults.
 *
 * A pointer's value is its guest-physical address, as in a domain. To let a
 * waiting domain go on, the idle function runs the others.
 */
#ifndef FAKE_HV_H
#define FAKE_HV_H

#include <setjmp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <abi/event.h>
#include <abi/grant.h>

#define FAKE_DOMAINS 8u
#define FAKE_PORTS   128u
#define FAKE_GRANTS  4096u /* entries of each domain's grant table, version 1 */
#define FAKE_PAGES   4096u /* pages of all domains together */

/* Forgets everything: domains 0 to FAKE_DOMAINS - 1 exist and are empty; 0 is current. */
void fake_reset(void);

/* Switches sides; the domain that was current before. */
domid_t fake_enter(domid_t domid);
domid_t fake_current(void);

/*
 * Runs when event_wait finds nothing pending: the test lets other domains go on
 * (and enters them by fake_enter; the current domain is put back afterwards) and
 * returns whether anything happened. If not, the wait times out: time jumps to
 * the deadline, or, with none, event_wait returns EVENT_NONE.
 */
void fake_idle(bool (*idle)(void *context), void *context);

/* Time stands still but for this, and timeouts. */
void fake_clock_advance(uint64_t ns);

/* The current domain's grant table, as after setup_table: entries 0 (console), 1 (store) ... */
struct grant_entry_v1 *fake_grant_table(domid_t domid);

/* Lets peer map a page: fills the entry as BULKHEAD_grant_seed would. */
void fake_grant(domid_t domid, grant_ref_t ref, domid_t peer, const void *page, bool readonly);

/* An unbound port of domid for remote. */
evtchn_port_t fake_port(domid_t domid, domid_t remote);

/* Pending, as seen by the domain that owns the port; not taken. */
bool fake_pending(domid_t domid, evtchn_port_t port);

/* Grants of this owner that somebody has mapped now; mappings that this domain holds. */
unsigned fake_grants_mapped(domid_t owner);
unsigned fake_mappings(domid_t holder);

/*
 * The domain dies: its mappings and ports go, its pages and its grants' users
 * stay; peers' ends become unbound for the same id. It can be entered again, as
 * its successor.
 */
void fake_destroy(domid_t domid);

/*
 * The domain starts anew under its id, as by the core's domain_reset: its mappings
 * go, with their marks in the owners' entries, and its ports, but those of store
 * and console (HVM parameters), at which nothing is pending any more. Its pages
 * and its space are to be had again, with what was in them; the rings of store and
 * console, what it granted, and what survives (memory_survivor) stay.
 */
void fake_domain_reset(domid_t domid);

/* What a domain has: ports that are not free, pages, pages of space. */
unsigned fake_ports(domid_t domid);
unsigned fake_pages(domid_t domid);
unsigned fake_space(domid_t domid);

/* Whether a device of the domain reaches a page at this address: its own, or one it has mapped. */
bool fake_device_reaches(domid_t domid, uint64_t dma, bool write);

/* A device interrupt of the domain, at a port of its (VIRQ). */
void fake_raise(domid_t domid, evtchn_port_t port);

/* Hypercalls with an effect that this domain made so far (events sent, grants mapped ...). */
unsigned fake_effects(domid_t domid);

/* Instead of the domain's effect number n (from 1) jumps to where, value 1. NULL: never. */
void fake_stop_at(domid_t domid, unsigned n, jmp_buf *where);

/* Counts as an effect what the test's own stand-in for a hypercall does. */
void fake_effect(void);

/* Lines logged so far, and the last one. */
unsigned fake_log_count(void);
const char *fake_log_last(void);

/* HVM parameters of a domain. */
void fake_param(domid_t domid, unsigned index, uint64_t value);

#endif
