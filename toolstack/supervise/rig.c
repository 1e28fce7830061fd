/* The pretend host's configurations and how a test begins and ends. */
#include "rig.h"

#include <stdlib.h>
#include <string.h>

#include <check.h>

/* Configurations own their texts, so these are no literals. */
static char text_block_xml[] = "/block.xml";
static char text_block[] = "block";
static char text_dev_nvme0n1[] = "/dev/nvme0n1";
static char text_xvda[] = "xvda";
static char text_net_xml[] = "/net.xml";
static char text_net[] = "net";
static char text_br0[] = "br0";
static char block_path[] = "/bulkhead/block.elf";
static char net_path[] = "/bulkhead/net.elf";
static char text_guest_xml[] = "/guest.xml";
static char text_guest[] = "guest";
static char text_initrd[] = "/initrd";
static char text_console_hvc0[] = "console=hvc0";
static char kernel_path[] = "/vmlinux";

struct config_hostdev nvme = {.slot = 4, .line = 9, .address_line = 11};
struct domain_config block = {.file = text_block_xml,
                              .name = text_block,
                              .uuid = "block",
                              .memory_bytes = 8u << 20,
                              .current_memory_bytes = 8u << 20,
                              .vcpus = 1,
                              .kernel = kernel_path,
                              .hostdevs = &nvme,
                              .hostdev_count = 1};
struct config_disk xvda = {.served = {.number = 51712,
                                      .backend = &block,
                                      .line = 20,
                                      .source_line = 22,
                                      .backend_line = 24},
                           .source = text_dev_nvme0n1,
                           .target = text_xvda};
struct domain_config net = {.file = text_net_xml,
                            .name = text_net,
                            .uuid = "net",
                            .memory_bytes = 8u << 20,
                            .current_memory_bytes = 8u << 20,
                            .vcpus = 1,
                            .kernel = net_path};
struct config_interface vif = {.served = {.class = CONFIG_INTERFACE,
                                          .backend = &net,
                                          .line = 30,
                                          .source_line = 31,
                                          .backend_line = 32},
                               .bridge = text_br0,
                               .mac = {0, 0x16, 0x3e, 1, 2, 3}};
struct domain_config guest;
struct supervise s;
struct entry *block_entry;
struct entry *guest_entry;

/* Store is domain 14, console domain 15; the host's own two domains begin at 1. */
void begin(void)
{
    fake_reset();
    guest = (struct domain_config){.file = text_guest_xml,
                                   .name = text_guest,
                                   .uuid = "guest",
                                   .memory_bytes = 8u << 20,
                                   .current_memory_bytes = 8u << 20,
                                   .vcpus = 2,
                                   .kernel = kernel_path,
                                   .initrd = text_initrd,
                                   .cmdline = text_console_hvc0,
                                   .on_reboot = CONFIG_RESTART,
                                   .disks = &xvda,
                                   .disk_count = 1,
                                   .memory_line = 4,
                                   .kernel_line = 6,
                                   .initrd_line = 7};
    block.kernel = kernel_path;
    block.on_crash = CONFIG_DESTROY;
    fake_file("/vmlinux", NULL, 0);
    fake_file("/initrd", "the initrd", 10);
    s = (struct supervise){
        .store = &fake_store, .root = &fake_root, .store_domid = 14, .console_domid = 15};
    block_entry = supervise_add(&s, &block);
    guest_entry = supervise_add(&s, &guest);
    EXPECT(block_entry && guest_entry);
}

void end(void)
{
    supervise_fini(&s);
    fake_reset();
    fake_fini();
}

/* Both run; the driver domain is 1, the guest 2. */
void begin_running(void)
{
    begin();
    supervise_start(&s, guest_entry);
    supervise_start(&s, block_entry);
    supervise_step(&s);
    fake_node_set("/local/domain/1/backend/vbd/2/51712/hotplug-status", "connected");
    supervise_step(&s);
    EXPECT(guest_entry->phase == ENTRY_LIVE && block_entry->phase == ENTRY_LIVE);
    fake_said[0] = 0;
}

void begin_ours(void)
{
    static struct config_root root;

    begin();
    root = (struct config_root){fake_root.prefix, fake_root.prefix};
    s.root = &root;
    block.kernel = block_path;
    block.on_crash = CONFIG_RESTART;
    fake_file("/block.elf", NULL, 0);
    supervise_start(&s, guest_entry);
    supervise_start(&s, block_entry);
    supervise_step(&s);
    fake_node_set("/local/domain/1/backend-ready", "1");
    supervise_step(&s);
    fake_node_set("/local/domain/1/backend/vbd/2/51712/hotplug-status", "connected");
    supervise_step(&s);
    EXPECT(guest_entry->phase == ENTRY_LIVE && block_entry->phase == ENTRY_LIVE);
    fake_said[0] = 0;
}

struct entry *begin_service(struct domain_config *config, domid_t domid)
{
    static char kernel[] = "/bulkhead/block.elf";
    static char file[] = "host.xml";
    static char name[] = "service";
    struct entry *e;

    *config = (struct domain_config){.file = file,
                                     .name = name,
                                     .memory_bytes = 8u << 20,
                                     .current_memory_bytes = 8u << 20,
                                     .vcpus = 1,
                                     .kernel = kernel};
    begin_ours();
    fake_domains[domid] =
        (struct fake_domain){.exists = true, .frames = 1u << 20, .ram = calloc(1, FAKE_RAM)};
    e = supervise_add(&s, config);
    EXPECT(e && fake_domains[domid].ram);
    if (!e)
        abort();
    e->phase = ENTRY_LIVE;
    e->domid = domid;
    e->service = e->ready = true;
    e->started = fake_now;
    fake_now += 5 * SECOND;
    return e;
}

bool is_node(const char *path, const char *value)
{
    const char *v = fake_node(path);

    return v && strcmp(v, value) == 0;
}
