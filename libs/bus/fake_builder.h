/*
 * What store and toolstack do for a driver domain, for host tests: a real store in
 * a domain of its own, the nodes of devices, and the driver domain's next life.
 * To be included by one file of a test program.
 */
#ifndef FAKE_BUILDER_H
#define FAKE_BUILDER_H

#include <abi/hvm.h>

#include <fake_hv.h>
#include <rt/event.h>
#include <rt/memory.h>
#include <store_client.h>
#include <store_service.h>
#include <store_talk.h>

#include "check.h"

#define BUILDER_STORE 7

static struct {
    struct store_service *service;
    domid_t domid; /* the driver domain's */
    struct xenstore_domain_interface *page;
    evtchn_port_t port;
} builder;

/* The control domain's word with the store, past all rings. */
static const char *builder_talk(enum xsd_sockmsg_type type, const char *text)
{
    struct store_server *s = service_server(builder.service);

    return talk(s, server_domain(s, 0), type, text);
}

/* Writes a node; its owner may do everything, the reader read. */
static inline void builder_write(const char *path, const char *value, domid_t owner, domid_t reader)
{
    char text[256];

    (void)snprintf(text, sizeof(text), "%s|%s", path, value);
    EXPECT(strcmp(builder_talk(XS_WRITE, text), "OK|") == 0);
    (void)snprintf(text, sizeof(text), "%s|n%u|r%u|", path, owner, reader);
    EXPECT(strcmp(builder_talk(XS_SET_PERMS, text), "OK|") == 0);
}

/* "!ENOENT": there is none. */
static inline const char *builder_read(const char *path)
{
    char text[256];

    (void)snprintf(text, sizeof(text), "%s|", path);
    return builder_talk(XS_READ, text);
}

static inline void builder_remove(const char *path)
{
    char text[256];

    (void)snprintf(text, sizeof(text), "%s|", path);
    (void)builder_talk(XS_RM, text);
}

/* From now on builder_heard tells of what changes at or below the path. */
static inline void builder_watch(const char *path)
{
    char text[256];

    (void)snprintf(text, sizeof(text), "%s|builder|", path);
    EXPECT(strcmp(builder_talk(XS_WATCH, text), "OK|") == 0);
}

/* "PATH|builder|" of one change, "": there is no other. */
static inline const char *builder_heard(void)
{
    struct store_server *s = service_server(builder.service);

    return talk_event(s, server_domain(s, 0));
}

/* The store domain's loop, until it would sleep; whether it did anything. */
static bool builder_run_store(void)
{
    domid_t before = fake_enter(BUILDER_STORE);
    evtchn_port_t port;
    bool any = false;

    while ((port = event_next()) != EVENT_NONE) {
        any = true;
        service_event(builder.service, port);
    }
    while (service_turn(builder.service))
        any = true;
    (void)fake_enter(before);
    return any;
}

static void builder_introduce(void)
{
    domid_t before = fake_enter(BUILDER_STORE);

    EXPECT(service_open(builder.service, builder.domid, builder.port, false) == 0);
    server_serves(server_domain(service_server(builder.service), builder.domid), true);
    (void)fake_enter(before);
}

/* A store, and a driver domain that is connected to it. */
static inline void builder_begin(domid_t domid)
{
    char home[64];

    (void)fake_enter(BUILDER_STORE);
    builder.service = service_create(&store_limits_default);
    builder.domid = domid;
    EXPECT(server_introduce(service_server(builder.service), 0, true) != NULL);
    (void)fake_enter(domid);
    builder.page = memory_pages_alloc(1);
    builder.port = fake_port(domid, BUILDER_STORE);
    fake_grant(domid, GNTTAB_RESERVED_XENSTORE, BUILDER_STORE, builder.page, false);
    fake_param(domid, HVM_PARAM_STORE_PFN, memory_gfn(builder.page));
    fake_param(domid, HVM_PARAM_STORE_EVTCHN, builder.port);
    (void)snprintf(home, sizeof(home), "/local/domain/%u", domid);
    builder_write(home, "", domid, domid);
    builder_introduce();
}

static inline void builder_end(void)
{
    (void)fake_enter(BUILDER_STORE);
    EXPECT(server_is_consistent(service_server(builder.service)));
    service_destroy(builder.service);
    EXPECT(fake_mappings(BUILDER_STORE) == 0);
}

/*
 * The domain is dead; it is started anew. The store runs beside: bits of `turns`
 * say between which of the steps.
 */
static inline void builder_renew(unsigned turns)
{
    if (turns & 1)
        (void)builder_run_store();
    fake_domain_reset(builder.domid);
    EXPECT(fake_mappings(builder.domid) == 0 && fake_ports(builder.domid) == 1);
    if (turns & 2)
        (void)builder_run_store();
    memset(builder.page, 0, PAGE_SIZE);
    if (turns & 4)
        (void)builder_run_store();
    builder_introduce();
    EXPECT(server_is_consistent(service_server(builder.service)));
}

#endif
