/* The life of domains over a pretend core: building, dying, and who waits for whom. */
#include "supervise.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <abi/layout.h>
#include <abi/start.h>
#include <build/acpi.h>
#include <check.h>
#include <fake_core.h>

#include <xen/sched.h>

#define SECOND 1000000000ull

/* Configurations own their texts, so these are no literals. */
static char text_block_xml[] = "/block.xml";
static char text_block[] = "block";
static char text_dev_nvme0n1[] = "/dev/nvme0n1";
static char text_xvda[] = "xvda";
static char text_net_xml[] = "/net.xml";
static char text_net[] = "net";
static char text_br0[] = "br0";
static char net_path[] = "/bulkhead/net.elf";
static char text_guest_xml[] = "/guest.xml";
static char text_guest[] = "guest";
static char text_initrd[] = "/initrd";
static char text_console_hvc0[] = "console=hvc0";
static char text_nothing[] = "/nothing";
static char kernel_path[] = "/vmlinux";
static char image_path[] = "/bulkhead/block.elf";

static struct config_hostdev nvme = {.slot = 4, .line = 9, .address_line = 11};
static struct domain_config block = {.file = text_block_xml,
                                     .name = text_block,
                                     .memory_bytes = 8u << 20,
                                     .current_memory_bytes = 8u << 20,
                                     .vcpus = 1,
                                     .kernel = kernel_path,
                                     .hostdevs = &nvme,
                                     .hostdev_count = 1};
static struct config_disk xvda = {.served = {.number = 51712,
                                             .backend = &block,
                                             .line = 20,
                                             .source_line = 22,
                                             .backend_line = 24},
                                  .source = text_dev_nvme0n1,
                                  .target = text_xvda};
static struct domain_config net = {.file = text_net_xml,
                                   .name = text_net,
                                   .memory_bytes = 8u << 20,
                                   .current_memory_bytes = 8u << 20,
                                   .vcpus = 1,
                                   .kernel = net_path};
static struct config_interface vif = {.served = {.class = CONFIG_INTERFACE,
                                                 .backend = &net,
                                                 .line = 30,
                                                 .source_line = 31,
                                                 .backend_line = 32},
                                      .bridge = text_br0,
                                      .mac = {0, 0x16, 0x3e, 1, 2, 3}};
static struct domain_config guest;
static struct supervise s;
static struct entry *block_entry;
static struct entry *guest_entry;

/* Store is domain 14, console domain 15; the host's own two domains begin at 1. */
static void begin(void)
{
    fake_reset();
    guest = (struct domain_config){.file = text_guest_xml,
                                   .name = text_guest,
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

static void end(void)
{
    supervise_fini(&s);
    fake_reset();
    fake_fini();
}

/* Both run; the driver domain is 1, the guest 2. */
static void begin_running(void)
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

static bool is_node(const char *path, const char *value)
{
    const char *v = fake_node(path);

    return v && strcmp(v, value) == 0;
}

TEST(guest_is_built)
{
    const struct fake_domain *d = &fake_domains[2];
    struct hvm_start_info info;
    struct hvm_modlist_entry module;

    begin_running();
    EXPECT(strcmp(d->label, "guest") == 0 && d->rights == 0);
    EXPECT(d->frames == (8u << 20) / 4096 + 3);
    EXPECT(d->start.entry == 0x200000 && d->start.vcpu == 0);
    EXPECT(memcmp(d->ram + 0x200000, "a tiny kernel..", 16) == 0);
    memcpy(&info, d->ram + d->start.start_info, sizeof(info));
    EXPECT(info.magic == XEN_HVM_START_MAGIC_VALUE && info.nr_modules == 1);
    EXPECT(strcmp((char *)d->ram + info.cmdline_paddr, "console=hvc0") == 0);
    memcpy(&module, d->ram + info.modlist_paddr, sizeof(module));
    EXPECT(module.size == 10 && memcmp(d->ram + module.paddr, "the initrd", 10) == 0);
    EXPECT(info.rsdp_paddr == LAYOUT_ACPI_BASE && memcmp(d->acpi, "RSD PTR ", 8) == 0);
    EXPECT(d->seed_count == 2 && d->seeds[0].ref == 1 && d->seeds[0].peer == 14);
    EXPECT(d->seeds[1].ref == 0 && d->seeds[1].peer == 15);
    EXPECT(d->params[HVM_PARAM_STORE_PFN] == LAYOUT_STORE_PAGE >> 12);
    EXPECT(d->params[HVM_PARAM_STORE_EVTCHN] == 1 && d->params[HVM_PARAM_CONSOLE_EVTCHN] == 2);
    EXPECT(d->pair_count == 1 && d->pairs[0] == 1);
    EXPECT(d->introduced && !d->paused);
    EXPECT(fake_domains[1].device_count == 1 && fake_domains[1].devices[0] == 4 << 3);
    EXPECT(is_node("/local/domain/2/name", "guest"));
    EXPECT(is_node("/local/domain/2/memory/target", "8192"));
    EXPECT(is_node("/local/domain/2/cpu/1/availability", "online"));
    EXPECT(
        is_node("/local/domain/2/device/vbd/51712/backend", "/local/domain/1/backend/vbd/2/51712"));
    EXPECT(is_node("/local/domain/1/backend/vbd/2/51712/params", "/dev/nvme0n1"));
    EXPECT(is_node("/local/domain/15/client/2", "2"));
    end();
}

/* A guest with an interface instead of a disk, and its net domain, which is 1. */
static struct entry *begin_net(void)
{
    static struct config_root root;
    struct entry *net_entry;

    begin();
    root = (struct config_root){fake_root.prefix, fake_root.prefix};
    fake_file("/net.elf", NULL, 0);
    s.root = &root;
    net_entry = supervise_add(&s, &net);
    guest.disk_count = 0;
    guest.interfaces = &vif;
    guest.interface_count = 1;
    return net_entry;
}

static const char *command_line_of(const struct fake_domain *d)
{
    struct hvm_start_info info;

    memcpy(&info, d->ram + d->start.start_info, sizeof(info));
    return (const char *)d->ram + info.cmdline_paddr;
}

/* Served by a net domain without a PCI function: its bridges are this host's own. */
TEST(interface_of_a_net_domain)
{
    struct entry *net_entry = begin_net();

    supervise_start(&s, guest_entry);
    supervise_start(&s, net_entry);
    supervise_step(&s);
    EXPECT(net_entry->phase == ENTRY_LIVE && guest_entry->phase == ENTRY_WAITING);
    fake_node_set("/local/domain/1/backend-ready", "1");
    supervise_step(&s);
    EXPECT(guest_entry->phase == ENTRY_OPENING);
    EXPECT(is_node("/local/domain/2/device/vif/0/backend", "/local/domain/1/backend/vif/2/0"));
    EXPECT(is_node("/local/domain/2/device/vif/0/backend-id", "1"));
    EXPECT(is_node("/local/domain/2/device/vif/0/mac", "00:16:3e:01:02:03"));
    EXPECT(is_node("/local/domain/2/device/vif/0/handle", "0"));
    EXPECT(is_node("/local/domain/1/backend/vif/2/0/frontend", "/local/domain/2/device/vif/0"));
    EXPECT(is_node("/local/domain/1/backend/vif/2/0/bridge", "br0"));
    EXPECT(is_node("/local/domain/1/backend/vif/2/0/mac", "00:16:3e:01:02:03"));
    EXPECT(is_node("/local/domain/1/backend/vif/2/0/script", "vif-bridge"));
    EXPECT(is_node("/local/domain/1/backend/vif/2/0/state", "1"));
    EXPECT(fake_domains[2].pair_count == 1 && fake_domains[2].pairs[0] == 1);
    fake_node_set("/local/domain/1/backend/vif/2/0/hotplug-status", "error");
    fake_node_set("/local/domain/1/backend/vif/2/0/hotplug-error", "no more ports: use fewer");
    fake_node_set("/local/domain/1/backend/vif/2/0/state", "6");
    supervise_step(&s);
    EXPECT(is_node("/local/domain/1/backend/vif/2/0/online", "0"));
    fake_node_set("/local/domain/1/backend/vif/2/0/state", "6");
    supervise_step(&s);
    EXPECT(guest_entry->phase == ENTRY_FAILED && !fake_node("/local/domain/1/backend/vif/2"));
    EXPECT(fake_count_said("/guest.xml:31: no more ports: use fewer\n") == 1);
    end();
}

TEST(net_domain_is_told_its_bridges)
{
    static char lan[] = "lan";
    struct config_hostdev nics[] = {{.slot = 6}, {.slot = 5}};
    struct config_bridge bridge = {.name = lan, .nic = 1};

    begin_net();
    net.hostdevs = nics;
    net.hostdev_count = 2;
    net.bridges = &bridge;
    net.bridge_count = 1;
    supervise_start(&s, supervise_find(&s, "net"));
    supervise_step(&s);
    EXPECT(strcmp(command_line_of(&fake_domains[1]), " pci=00:06.0 pci=00:05.0 bridge=lan:1") == 0);
    net.hostdev_count = 0;
    net.bridge_count = 0;
    end();
}

TEST(rules_of_an_interface)
{
    static char ip4[] = "192.0.2.7";
    static char ip6[] = "2001:db8::7";
    uint16_t tags[] = {7, 4094};
    struct config_address addresses[] = {{.text = ip4}, {.is6 = true, .text = ip6}};
    struct config_interface plain = vif;

    vif.isolated = true;
    vif.mtu = 9000;
    vif.target = text_xvda;
    vif.inbound = (struct config_rate){1000, 2000, 64};
    vif.outbound = (struct config_rate){128, 0, 0};
    vif.vlan = (struct config_vlan){true, tags, 2, 7};
    vif.filter = CONFIG_CLEAN_TRAFFIC;
    vif.addresses = addresses;
    vif.address_count = 2;
    begin_net();
    supervise_start(&s, supervise_find(&s, "net"));
    supervise_step(&s);
    fake_node_set("/local/domain/1/backend-ready", "1");
    supervise_start(&s, guest_entry);
    supervise_step(&s);
    EXPECT(is_node("/local/domain/2/device/vif/0/mtu", "9000"));
    EXPECT(is_node("/local/domain/1/backend/vif/2/0/mtu", "9000"));
    EXPECT(is_node("/local/domain/1/backend/vif/2/0/vlan", "trunk 7,4094 native 7"));
    EXPECT(is_node("/local/domain/1/backend/vif/2/0/filter",
                   "no-mac-spoofing no-ip-spoofing no-arp-spoofing"));
    EXPECT(is_node("/local/domain/1/backend/vif/2/0/ip", "192.0.2.7 2001:db8::7"));
    EXPECT(is_node("/local/domain/1/backend/vif/2/0/rate-in", "1000 2000 64"));
    EXPECT(is_node("/local/domain/1/backend/vif/2/0/rate-out", "128 0 0"));
    EXPECT(is_node("/local/domain/1/backend/vif/2/0/isolated", "1"));
    EXPECT(is_node("/local/domain/1/backend/vif/2/0/vifname", "xvda"));
    EXPECT(!fake_node("/local/domain/1/backend/vif/2/0/rate"));
    vif = plain;
    end();
}

TEST(failure_at_every_call_leaves_nothing)
{
    unsigned n;

    for (n = 1; n < 500; n++) {
        begin();
        supervise_start(&s, block_entry);
        supervise_step(&s);
        supervise_start(&s, guest_entry);
        unsigned nodes = fake_node_count();

        fake_said[0] = 0;
        fake_fail_at(n);
        supervise_step(&s);
        if (!fake_has_failed()) {
            end();
            break;
        }
        EXPECT(guest_entry->phase == ENTRY_FAILED && guest_entry->domid == DOMID_INVALID);
        EXPECT(fake_domain_count() == 1 && fake_node_count() == nodes);
        EXPECT(s.failed && fake_count_said("/guest.xml:") == 1);
        end();
    }
    EXPECT(n > 60 && n < 500);
}

TEST(guest_waits_for_its_backend)
{
    begin();
    block.kernel = image_path;
    fake_file("/block.elf", NULL, 0);
    struct config_root root = {fake_root.prefix, fake_root.prefix};

    s.root = &root;
    supervise_start(&s, guest_entry);
    supervise_start(&s, block_entry);
    EXPECT(supervise_step(&s) == UINT64_MAX);
    EXPECT(block_entry->phase == ENTRY_LIVE && !block_entry->ready);
    EXPECT(guest_entry->phase == ENTRY_WAITING);
    fake_node_set("/local/domain/1/backend-ready", "1");
    supervise_step(&s);
    EXPECT(block_entry->ready && guest_entry->phase == ENTRY_OPENING);
    EXPECT(fake_domains[2].paused);
    fake_node_set("/local/domain/1/backend/vbd/2/51712/hotplug-status", "connected");
    supervise_step(&s);
    EXPECT(guest_entry->phase == ENTRY_LIVE && !fake_domains[2].paused);
    end();
}

TEST(disk_that_cannot_be_opened)
{
    begin();
    supervise_start(&s, guest_entry);
    supervise_start(&s, block_entry);
    supervise_step(&s);
    unsigned said = fake_count_said("started");

    EXPECT(said == 1);
    fake_node_set("/local/domain/1/backend/vbd/2/51712/hotplug-status", "error");
    fake_node_set("/local/domain/1/backend/vbd/2/51712/hotplug-error", "no such disk: try another");
    fake_node_set("/local/domain/1/backend/vbd/2/51712/state", "6");
    supervise_step(&s);
    EXPECT(guest_entry->phase == ENTRY_CLOSING);
    fake_node_set("/local/domain/1/backend/vbd/2/51712/state", "6");
    supervise_step(&s);
    EXPECT(guest_entry->phase == ENTRY_FAILED && fake_domain_count() == 1);
    EXPECT(fake_count_said("/guest.xml:22: no such disk: try another\n") == 1);
    EXPECT(s.failed && supervise_is_over(&s));
    end();
}

TEST(backend_that_dies_or_never_was)
{
    begin();
    supervise_start(&s, guest_entry);
    supervise_step(&s);
    EXPECT(guest_entry->phase == ENTRY_FAILED);
    EXPECT(fake_count_said("/guest.xml:24: the backend domain block of disk xvda") == 1);
    supervise_start(&s, block_entry);
    supervise_start(&s, guest_entry);
    supervise_step(&s);
    EXPECT(guest_entry->phase == ENTRY_OPENING);
    fake_shutdown(block_entry->domid, SHUTDOWN_crash);
    supervise_step(&s);
    EXPECT(guest_entry->phase == ENTRY_FAILED && block_entry->phase == ENTRY_STOPPED);
    EXPECT(fake_domain_count() == 0 && fake_node_count() == 0);
    end();
}

static void close_disk(void)
{
    EXPECT(is_node("/local/domain/1/backend/vbd/2/51712/state", "5"));
    EXPECT(is_node("/local/domain/1/backend/vbd/2/51712/online", "0"));
    fake_node_set("/local/domain/1/backend/vbd/2/51712/state", "6");
}

TEST(reboot_is_a_new_domain)
{
    begin_running();
    fake_attached = 2;
    fake_now += 60 * SECOND;
    fake_shutdown(2, SHUTDOWN_reboot);
    supervise_step(&s);
    EXPECT(guest_entry->phase == ENTRY_CLOSING);
    EXPECT(!supervise_is_over(&s));
    close_disk();
    supervise_step(&s);
    EXPECT(guest_entry->phase == ENTRY_OPENING && guest_entry->domid == 3);
    EXPECT(!fake_domains[2].exists && !fake_node("/local/domain/2/name"));
    fake_node_set("/local/domain/1/backend/vbd/3/51712/hotplug-status", "connected");
    supervise_step(&s);
    EXPECT(guest_entry->phase == ENTRY_LIVE && fake_attached == 3);
    EXPECT(!s.failed);
    /* At its end the prompt is back; and who left the console is not fetched again. */
    fake_shutdown(3, SHUTDOWN_poweroff);
    supervise_step(&s);
    fake_node_set("/local/domain/1/backend/vbd/3/51712/state", "6");
    supervise_step(&s);
    EXPECT(fake_attached == DOMID_SELF);
    end();
}

TEST(power_off_ends_it)
{
    begin_running();
    fake_shutdown(2, SHUTDOWN_poweroff);
    supervise_step(&s);
    close_disk();
    supervise_step(&s);
    EXPECT(guest_entry->phase == ENTRY_STOPPED && fake_domain_count() == 1);
    EXPECT(supervise_is_over(&s) && !s.failed);
    EXPECT(fake_count_said("guest: powered off (id 2)") == 1);
    end();
}

TEST(crash_actions)
{
    begin_running();
    guest.on_crash = CONFIG_PRESERVE;
    fake_shutdown(2, SHUTDOWN_crash);
    supervise_step(&s);
    EXPECT(guest_entry->phase == ENTRY_LIVE && guest_entry->dead);
    EXPECT(s.failed && supervise_is_over(&s));
    EXPECT(fake_count_said("guest: crashed") == 1);
    supervise_step(&s);
    EXPECT(fake_said[0] == 0);
    supervise_stop(&s, guest_entry, NEXT_STOP);
    close_disk();
    supervise_step(&s);
    EXPECT(guest_entry->phase == ENTRY_STOPPED && !fake_domains[2].exists);
    end();
}

TEST(restart_is_not_a_spin)
{
    begin_running();
    guest.on_crash = CONFIG_RESTART;
    fake_shutdown(2, SHUTDOWN_watchdog);
    supervise_step(&s);
    close_disk();
    EXPECT(supervise_step(&s) == 2 * SECOND);
    EXPECT(guest_entry->phase == ENTRY_WAITING && fake_domain_count() == 1);
    fake_now = 2 * SECOND;
    supervise_step(&s);
    EXPECT(guest_entry->phase == ENTRY_OPENING);
    s.leaving = true;
    fake_node_set("/local/domain/1/backend/vbd/3/51712/hotplug-status", "connected");
    supervise_step(&s);
    fake_shutdown(3, SHUTDOWN_reboot);
    supervise_step(&s);
    EXPECT(guest_entry->next == NEXT_STOP);
    end();
}

TEST(silent_backend_delays_nobody_for_long)
{
    begin_running();
    supervise_stop(&s, guest_entry, NEXT_STOP);
    EXPECT(fake_domains[2].paused);
    EXPECT(supervise_step(&s) == 2 * SECOND);
    EXPECT(guest_entry->phase == ENTRY_CLOSING);
    fake_now = 2 * SECOND;
    supervise_step(&s);
    EXPECT(guest_entry->phase == ENTRY_STOPPED && fake_domain_count() == 1);
    EXPECT(fake_count_said("does not let go of disk xvda") == 1);
    end();
}

TEST(death_of_a_driver_domain)
{
    begin_running();
    fake_shutdown(1, SHUTDOWN_crash);
    supervise_step(&s);
    EXPECT(block_entry->phase == ENTRY_STOPPED && guest_entry->phase == ENTRY_LIVE);
    EXPECT(strstr(fake_said, "guest: its disk xvda is gone with block"));
    EXPECT(!supervise_is_over(&s));
    supervise_stop(&s, guest_entry, NEXT_STOP);
    supervise_step(&s);
    EXPECT(guest_entry->phase == ENTRY_STOPPED);
    end();
}

TEST(bad_files)
{
    begin();
    guest.disk_count = 0;
    guest.kernel = text_nothing;
    supervise_start(&s, guest_entry);
    supervise_step(&s);
    EXPECT(fake_count_said("/guest.xml:6: there is no file /nothing: ") == 1);
    guest.kernel = text_initrd;
    supervise_start(&s, guest_entry);
    supervise_step(&s);
    EXPECT(fake_count_said("/guest.xml:6: /initrd is truncated") == 1);
    guest.kernel = kernel_path;
    guest.memory_bytes = 1u << 20;
    supervise_start(&s, guest_entry);
    supervise_step(&s);
    EXPECT(fake_count_said("/guest.xml:4: 1 MiB of memory are too few, the kernel does not") == 1);
    guest.memory_bytes = 2ull << 30;
    supervise_start(&s, guest_entry);
    supervise_step(&s);
    EXPECT(fake_count_said("/guest.xml:4: 2048 MiB of memory, but the host has 1024 MiB free") ==
           1);
    guest.memory_bytes = 8u << 20;
    guest.initrd = text_nothing;
    supervise_start(&s, guest_entry);
    supervise_step(&s);
    EXPECT(fake_count_said("/guest.xml:7: there is no file /nothing") == 1);
    nvme.bus = 3;
    supervise_start(&s, block_entry);
    supervise_step(&s);
    EXPECT(fake_count_said("/block.xml:11: the host has no PCI function 0000:03:04.0") == 1);
    nvme.bus = 0;
    EXPECT(fake_domain_count() == 0 && fake_node_count() == 0);
    end();
}

TEST(names_and_numbers)
{
    begin_running();
    EXPECT(supervise_find(&s, "guest") == guest_entry);
    EXPECT(supervise_find(&s, "2") == guest_entry);
    EXPECT(supervise_find(&s, "1") == block_entry);
    EXPECT(!supervise_find(&s, "") && !supervise_find(&s, "3") && !supervise_find(&s, "2x"));
    EXPECT(entry_is_guest(guest_entry) && !entry_is_guest(block_entry));
    end();
}
