/* A guest without rights asks for everything that needs one: each is refused. */
#include "call.h"
#include "check.h"
#include "result.h"
#include "start.h"

#include <abi/bulkhead.h>
#include <abi/control.h>
#include <abi/rights.h>

#define STRANGER 0u

static uint8_t buffer[4096];

static long control(uint32_t command, domid_t domain)
{
    static struct xen_domctl op;

    op = (struct xen_domctl){
        .cmd = command, .interface_version = XEN_DOMCTL_INTERFACE_VERSION, .domain = domain};
    return call_page(&(struct call){__HYPERVISOR_domctl, {call_address(&op)}});
}

static long system(uint32_t command)
{
    static struct xen_sysctl op;

    op = (struct xen_sysctl){.cmd = command, .interface_version = XEN_SYSCTL_INTERFACE_VERSION};
    return call_page(&(struct call){__HYPERVISOR_sysctl, {call_address(&op)}});
}

static long bulkhead(uint64_t op, void *argument)
{
    return call2(HYPERVISOR_BULKHEAD, op, argument);
}

TEST(control_operations)
{
    static const uint32_t commands[] = {XEN_DOMCTL_createdomain,  XEN_DOMCTL_destroydomain,
                                        XEN_DOMCTL_pausedomain,   XEN_DOMCTL_unpausedomain,
                                        XEN_DOMCTL_sendtrigger,   XEN_DOMCTL_max_mem,
                                        XEN_DOMCTL_assign_device, XEN_DOMCTL_deassign_device};

    for (unsigned i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
        EXPECT(control(commands[i], STRANGER) == -XEN_EPERM);
        EXPECT(control(commands[i], start_self()) == -XEN_EPERM);
    }
    EXPECT(control(XEN_DOMCTL_getvcpucontext, STRANGER) == -XEN_ENOSYS);
    EXPECT(control(UINT32_MAX, STRANGER) == -XEN_ENOSYS);
    EXPECT(system(XEN_SYSCTL_readconsole) == -XEN_EPERM);
    EXPECT(system(XEN_SYSCTL_physinfo) == -XEN_ENOSYS);
    EXPECT(system(XEN_SYSCTL_getdomaininfolist) == -XEN_EPERM);
}

TEST(the_builders_extensions)
{
    struct bulkhead_domain_label label = {.domid = STRANGER, .label = "x"};
    struct bulkhead_domain_rights rights = {.domid = start_self(), .rights = RIGHTS_ALL};
    struct bulkhead_pair pair = {.domid = start_self(), .peer = STRANGER};
    struct bulkhead_vcpu_start start = {.domid = STRANGER};
    struct bulkhead_grant_seed seed = {.domid = STRANGER, .peer = start_self()};
    struct bulkhead_domain_reset reset = {.domid = STRANGER};
    struct bulkhead_dma_limit limit = {.domid = start_self(), .count = 1};

    EXPECT(bulkhead(BULKHEAD_domain_label, &label) == -XEN_EPERM);
    EXPECT(bulkhead(BULKHEAD_domain_rights, &rights) == -XEN_EPERM);
    EXPECT(bulkhead(BULKHEAD_pair, &pair) == -XEN_EPERM);
    EXPECT(bulkhead(BULKHEAD_vcpu_start, &start) == -XEN_EPERM);
    EXPECT(bulkhead(BULKHEAD_grant_seed, &seed) == -XEN_EPERM);
    EXPECT(bulkhead(BULKHEAD_domain_reset, &reset) == -XEN_EPERM);
    reset.domid = start_self();
    EXPECT(bulkhead(BULKHEAD_domain_reset, &reset) == -XEN_EPERM);
    EXPECT(bulkhead(BULKHEAD_dma_limit, &limit) == -XEN_EPERM);
    limit.domid = STRANGER;
    EXPECT(bulkhead(BULKHEAD_dma_limit, &limit) == -XEN_EPERM);
}

TEST(other_domains_memory)
{
    struct bulkhead_memory_copy copy = {.domid = STRANGER,
                                        .flags = BULKHEAD_COPY_READ,
                                        .gpa = 0x1000,
                                        .buffer = call_address(buffer),
                                        .len = sizeof(buffer)};

    EXPECT(bulkhead(BULKHEAD_memory_copy, &copy) == -XEN_EPERM);
    copy.flags = 0;
    EXPECT(bulkhead(BULKHEAD_memory_copy, &copy) == -XEN_EPERM);
    copy.domid = start_self();
    EXPECT(bulkhead(BULKHEAD_memory_copy, &copy) == -XEN_EPERM);
    copy.flags = 0xff;
    EXPECT(bulkhead(BULKHEAD_memory_copy, &copy) == -XEN_EINVAL);
}

TEST(hardware_console_and_host)
{
    struct bulkhead_pci_info pci = {.index = 0};
    struct bulkhead_dma_address dma = {.gfn = 0, .count = 1, .buffer = call_address(buffer)};
    struct bulkhead_console_attach attach = {.domid = start_self()};
    struct bulkhead_console_put put = {.domid = STRANGER, .buffer = call_address(buffer), .len = 1};
    struct bulkhead_console_get get = {.buffer = call_address(buffer), .len = 1};
    struct bulkhead_host_shutdown off = {.action = BULKHEAD_HOST_POWEROFF};
    struct bulkhead_host_info host;

    EXPECT(bulkhead(BULKHEAD_pci_info, &pci) == -XEN_EPERM);
    EXPECT(bulkhead(BULKHEAD_dma_address, &dma) == -XEN_EPERM);
    EXPECT(bulkhead(BULKHEAD_console_attach, &attach) == -XEN_EPERM);
    EXPECT(bulkhead(BULKHEAD_console_put, &put) == -XEN_EPERM);
    EXPECT(bulkhead(BULKHEAD_console_get, &get) == -XEN_EPERM);
    EXPECT(bulkhead(BULKHEAD_host_shutdown, &off) == -XEN_EPERM);
    EXPECT(bulkhead(BULKHEAD_host_info, &host) == -XEN_EPERM);
    EXPECT(bulkhead(BULKHEAD_dma_limit + 1, &host) == -XEN_ENOSYS);
    EXPECT(call3(__HYPERVISOR_console_io, CONSOLEIO_read, 1, buffer) == -XEN_EPERM);
}

TEST(rights_are_dropped_and_never_gained)
{
    struct bulkhead_rights_drop drop = {.rights = RIGHTS_ALL};
    struct bulkhead_domain_rights rights = {.domid = start_self(), .rights = 0};
    struct bulkhead_domain_stats stats = {.domid = start_self()};

    EXPECT(bulkhead(BULKHEAD_rights_drop, &drop) == 0);
    EXPECT(bulkhead(BULKHEAD_domain_rights, &rights) == -XEN_EPERM);
    EXPECT(bulkhead(BULKHEAD_domain_stats, &stats) == 0 && stats.hypercalls > 0);
    stats.domid = STRANGER;
    EXPECT(bulkhead(BULKHEAD_domain_stats, &stats) == -XEN_EPERM);
}
