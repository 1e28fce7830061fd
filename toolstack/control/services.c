/* The two domains that all others need: the store, which needs nobody, and the console. */
#include "control.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <abi/addr.h>
#include <abi/control.h>
#include <abi/hvm.h>
#include <abi/layout.h>
#include <abi/rights.h>
#include <build/memory.h>
#include <build/nodes.h>
#include <hcall.h>
#include <rt/event.h>
#include <supervise/adopt.h>
#include <supervise/await.h>

#define MIB            (1ull << 20)
#define SERVICE_MEMORY (8 * MIB)

/*
 * Both return to their main loop after each request, in far less than a millisecond.
 * A look costs the control domain, so it is not taken more often than all that wait
 * for them can bear.
 */
#define SERVICE_WATCHDOG_MS 2000

/* The histories of 64 consoles, and whose they are (libs/con/con_keep.h). */
#define CONSOLE_SURVIVOR (5 * MIB)

static char store_name[] = "store";
static char console_name[] = "console";
static char control_name[] = "control";
static char host_file[] = "host.xml";
static char store_kernel[] = "/bulkhead/store.elf";
static char console_kernel[] = "/bulkhead/console.elf";
static char control_kernel[] = "/bulkhead/control.elf";

/*
 * Stand in for files: what is always there has none. By their uuid a next life of
 * ours finds them.
 */
static struct domain_config control_config = {.file = host_file,
                                              .name = control_name,
                                              .memory_bytes = SERVICE_MEMORY,
                                              .vcpus = 1,
                                              .kernel = control_kernel,
                                              .autostart = true};
static struct domain_config store_config = {.file = host_file,
                                            .name = store_name,
                                            .uuid = "bulkhead: store",
                                            .memory_bytes = SERVICE_MEMORY,
                                            .current_memory_bytes = SERVICE_MEMORY,
                                            .vcpus = 1,
                                            .kernel = store_kernel,
                                            .watchdog_ms = SERVICE_WATCHDOG_MS,
                                            .autostart = true};
static struct domain_config console_config = {.file = host_file,
                                              .name = console_name,
                                              .uuid = "bulkhead:consol",
                                              .memory_bytes = SERVICE_MEMORY,
                                              .current_memory_bytes = SERVICE_MEMORY,
                                              .vcpus = 1,
                                              .kernel = console_kernel,
                                              .rights = RIGHT_CONSOLE,
                                              .watchdog_ms = SERVICE_WATCHDOG_MS,
                                              .autostart = true};

static struct store_client store;
static struct build b;
static char store_cmdline[32];
static evtchn_port_t own_port; /* of our ring */

/* What a wait for the store has to look at. */
static struct await watched;

static bool sleep_on_store(evtchn_port_t port, uint64_t deadline)
{
    return await_store(&watched, port, deadline);
}

static const struct store_sleep store_sleep = {sleep_on_store};

void services_listen(evtchn_port_t deaths)
{
    watched.deaths = deaths;
}

bool services_heard(void)
{
    bool heard = watched.heard;

    watched.heard = false;
    return heard;
}

/* The rings of all domains end at a service: it shares with everyone. */
static int serve_all(domid_t domid)
{
    struct bulkhead_pair pair = {.domid = domid, .peer = DOMID_INVALID};

    return hcall_domain_pair(&pair);
}

static bool say_failure(const char *name)
{
    supervise_say("the %s could not be started: %s", name, b.error.text);
    return false;
}

static struct entry *add_entry(struct supervise *s, struct domain_config *config, domid_t domid)
{
    struct entry *e = supervise_add(s, config);

    if (!e)
        return NULL;
    e->service = true;
    adopt_live(s, e, domid);
    return e;
}

static struct xenstore_domain_interface *own_page(void)
{
    return (void *)LAYOUT_STORE_PAGE; /* NOLINT(performance-no-int-to-ptr) */
}

/*
 * Our own ring: where all domains have theirs, granted under the store's reserved
 * reference, and a port. It is still there in our next life.
 */
static int own_ring(domid_t domid, evtchn_port_t *port)
{
    struct evtchn_alloc_unbound alloc = {.dom = DOMID_SELF, .remote_dom = domid};
    struct bulkhead_grant_seed seed = {.domid = DOMID_SELF,
                                       .peer = domid,
                                       .ref = GNTTAB_RESERVED_XENSTORE,
                                       .gfn = LAYOUT_STORE_PAGE >> PAGE_SHIFT};
    int rc = memory_populate(DOMID_SELF, LAYOUT_STORE_PAGE, PAGE_SIZE);

    if (rc >= 0)
        rc = hcall_event_alloc_unbound(&alloc);
    if (rc >= 0)
        rc = hcall_grant_seed(&seed);
    *port = alloc.port;
    return rc;
}

/* Each of its lives needs it. */
static void write_store_cmdline(evtchn_port_t port)
{
    (void)snprintf(store_cmdline, sizeof(store_cmdline), "control=0:%u", port);
    store_config.cmdline = store_cmdline;
}

static bool start_store(struct supervise *s)
{
    struct build_order order = {.root = s->root,
                                .config = &store_config,
                                .store = DOMID_INVALID,
                                .console = DOMID_INVALID,
                                .survivor = LAYOUT_LARGE_SURVIVOR_SIZE,
                                .obeys = true};
    evtchn_port_t port = 0;
    int rc = build_create(&b, &order);

    /* Its command line says where our ring is, which needs its id. */
    if (rc == 0 && (own_ring(b.domid, &port) < 0 || serve_all(b.domid) < 0)) {
        (void)snprintf(b.error.text, sizeof(b.error.text),
                       "the core refused the control domain's ring");
        rc = -1;
    }
    write_store_cmdline(port);
    if (rc == 0)
        rc = build_fill(&b, store_cmdline);
    s->store_domid = b.domid;
    build_close(&b, rc != 0);
    if (rc != 0 || domain_command(s->store_domid, XEN_DOMCTL_unpausedomain) < 0)
        return say_failure(store_name);
    store_open(&store, own_page(), port);
    own_port = port;
    watched.supervise = s;
    watched.entry = add_entry(s, &store_config, s->store_domid);
    if (watched.entry)
        store.sleep = &store_sleep;
    return watched.entry != NULL;
}

static bool start_console(struct supervise *s)
{
    struct build_order order = {.root = s->root,
                                .config = &console_config,
                                .store = s->store_domid,
                                .console = DOMID_INVALID,
                                .rights = console_config.rights,
                                .survivor = CONSOLE_SURVIVOR,
                                .obeys = true};
    int rc = build_create(&b, &order);

    if (rc == 0)
        rc = build_fill(&b, "");
    if (rc == 0) {
        rc = nodes_write(&store, &b);
        if (rc != 0)
            (void)snprintf(b.error.text, sizeof(b.error.text), "the store does not answer: %s",
                           strerror(-rc));
    }
    s->console_domid = b.domid;
    build_close(&b, rc != 0);
    if (rc != 0 || serve_all(s->console_domid) < 0 ||
        domain_command(s->console_domid, XEN_DOMCTL_unpausedomain) < 0)
        return say_failure(console_name);
    return add_entry(s, &console_config, s->console_domid) != NULL;
}

/*
 * The core keeps this port when it puts us back, and takes us for one who may come
 * back from now on.
 */
static bool tell_core(void)
{
    struct xen_hvm_param page = {.domid = DOMID_SELF,
                                 .index = HVM_PARAM_STORE_PFN,
                                 .value = LAYOUT_STORE_PAGE >> PAGE_SHIFT};
    struct xen_hvm_param port = {
        .domid = DOMID_SELF, .index = HVM_PARAM_STORE_EVTCHN, .value = own_port};

    return hcall_hvm_set_param(&page) >= 0 && hcall_hvm_set_param(&port) >= 0;
}

static bool begin(struct supervise *s)
{
    struct bulkhead_domain_stats own = {.domid = DOMID_SELF};

    if (hcall_domain_stats(&own) >= 0)
        control_config.memory_bytes = own.frames * PAGE_SIZE;
    /* Until there is a store every request fails, instead of what asks for it. */
    store.broken = -EIO;
    s->store = &store;
    s->store_domid = DOMID_INVALID;
    s->console_domid = DOMID_INVALID;
    return add_entry(s, &control_config, 0) != NULL;
}

static bool services_start(struct supervise *s)
{
    return start_store(s) && start_console(s) && tell_core();
}

/* ---- those that a last life of ours left ------------------------------------------------------
 */

static const struct xen_domctl_getdomaininfo *
find_service(const struct domain_config *config, const struct xen_domctl_getdomaininfo *infos,
             size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (memcmp(infos[i].handle, config->uuid, sizeof(config->uuid)) == 0)
            return &infos[i];
    return NULL;
}

/* One whose next life had been begun, but not to its end, begins once more. */
static bool take_service(struct supervise *s, struct domain_config *config,
                         const struct xen_domctl_getdomaininfo *infos, size_t count, domid_t *domid)
{
    const struct xen_domctl_getdomaininfo *info = find_service(config, infos, count);
    struct entry *e;

    if (!info) {
        supervise_say("%s: it is gone: the host must be restarted", config->name);
        return false;
    }
    *domid = info->domain;
    e = add_entry(s, config, info->domain);
    if (e && config == &store_config) {
        watched.supervise = s;
        watched.entry = e;
    }
    return e && (!adopt_is_half_renewed(e, info) || renew_on_demand(s, e));
}

static bool services_find(struct supervise *s, evtchn_port_t port)
{
    size_t count = 0;
    struct xen_domctl_getdomaininfo *infos = adopt_list(&count);
    bool good;

    write_store_cmdline(port);
    good = infos && take_service(s, &store_config, infos, count, &s->store_domid) &&
           store_reopen(&store, own_page(), port, &store_sleep) == 0 &&
           take_service(s, &console_config, infos, count, &s->console_domid);
    free(infos);
    return good;
}

bool services_open(struct supervise *s, bool *again)
{
    struct xen_hvm_param port = {.domid = DOMID_SELF, .index = HVM_PARAM_STORE_EVTCHN};

    *again = hcall_hvm_get_param(&port) >= 0 && port.value != 0;
    if (!begin(s))
        return false;
    return *again ? services_find(s, (evtchn_port_t)port.value) : services_start(s);
}
