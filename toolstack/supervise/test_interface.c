/* Interfaces from the description to the store, behind net domains and behind Linux. */
#include "rig.h"

#include <string.h>

#include <abi/start.h>
#include <check.h>

#include <xen/sched.h>

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
    EXPECT(is_node("/local/domain/1/backend/vif/2/0/script", "/etc/xen/scripts/vif-bridge"));
    EXPECT(is_node("/local/domain/1/backend/vif/2/0/state", "1"));
    EXPECT(fake_domains[2].pair_count == 1 && fake_domains[2].pairs[0] == 1);
    fake_node_set("/local/domain/1/backend/vif/2/0/hotplug-status", "error");
    fake_node_set("/local/domain/1/backend/vif/2/0/hotplug-error", "no more ports: use fewer");
    fake_node_set("/local/domain/1/backend/vif/2/0/state", "6");
    supervise_step(&s); /* it has let go before it was asked to */
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

/* Ours, and only ours, are told that they come back, and that they are to fail when told. */
TEST(driver_domains_are_told_what_follows)
{
    begin_net();
    net.on_crash = CONFIG_RESTART;
    supervise_start(&s, supervise_find(&s, "net"));
    supervise_step(&s);
    EXPECT(strcmp(command_line_of(&fake_domains[1]), " restart=in-place") == 0);
    end();
    begin_net();
    net.on_crash = CONFIG_DESTROY;
    s.faults_allowed = true;
    guest.interface_count = 0;
    supervise_start(&s, supervise_find(&s, "net"));
    supervise_start(&s, guest_entry);
    supervise_step(&s);
    EXPECT(strcmp(command_line_of(&fake_domains[1]), "console=hvc0") == 0);
    EXPECT(strcmp(command_line_of(&fake_domains[2]), " inject=yes") == 0);
    end();
}

TEST(rules_of_an_interface)
{
    static char text_target[] = "xvda";
    static char ip4[] = "192.0.2.7";
    static char ip6[] = "2001:db8::7";
    uint16_t tags[] = {7, 4094};
    struct config_address addresses[] = {{.text = ip4}, {.is6 = true, .text = ip6}};
    struct config_interface plain = vif;

    vif.isolated = true;
    vif.mtu = 9000;
    vif.target = text_target;
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

/* Linux without a program of ours: its kernel takes the interface, we say what a script would. */
TEST(interface_of_a_linux_domain)
{
    begin();
    vif.served.backend = &block;
    guest.disk_count = 0;
    guest.interfaces = &vif;
    guest.interface_count = 1;
    vif.outbound.average = 1000;
    supervise_start(&s, block_entry);
    supervise_start(&s, guest_entry);
    EXPECT(supervise_step(&s) == 181 * SECOND && guest_entry->phase == ENTRY_OPENING);
    EXPECT(is_node("/local/domain/1/backend/vif/2/0/rate", "51200,50000"));
    EXPECT(!fake_node("/local/domain/1/backend/vif/2/0/hotplug-status"));
    fake_node_set("/local/domain/1/backend/vif/2/0/state", "2");
    supervise_step(&s);
    EXPECT(guest_entry->phase == ENTRY_LIVE);
    EXPECT(is_node("/local/domain/1/backend/vif/2/0/hotplug-status", "connected"));
    fake_said[0] = 0;
    fake_shutdown(1, SHUTDOWN_reboot);
    supervise_step(&s);
    EXPECT(fake_count_said("guest: its interface 0 is gone with block: start it again when") == 1);
    vif.served.backend = &net;
    vif.outbound.average = 0;
    end();
}

/* One that has such a program is waited for. */
TEST(interface_of_a_linux_domain_with_scripts)
{
    begin();
    vif.served.backend = &block;
    guest.disk_count = 0;
    guest.interfaces = &vif;
    guest.interface_count = 1;
    supervise_start(&s, block_entry);
    supervise_step(&s);
    fake_node_set("/local/domain/1/backend-ready", "1");
    supervise_start(&s, guest_entry);
    supervise_step(&s);
    fake_node_set("/local/domain/1/backend/vif/2/0/state", "2");
    supervise_step(&s);
    EXPECT(guest_entry->phase == ENTRY_OPENING);
    EXPECT(!fake_node("/local/domain/1/backend/vif/2/0/hotplug-status"));
    fake_node_set("/local/domain/1/backend/vif/2/0/hotplug-status", "connected");
    supervise_step(&s);
    EXPECT(guest_entry->phase == ENTRY_LIVE);
    vif.served.backend = &net;
    end();
}
